"""WebDataset shards, laid out as timm publishes ImageNet, and beside each the index that DALI reads.

Imports are light, since the Snakefile asks here at every start.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep.datasets.dataset import BOX_SIDES
from imagenet_prep.engine.shard_set import Naming, files_by_split
from imagenet_prep.errors import PrepError
from imagenet_prep.products.shards import Row, ShardedProduct, boxes_of

if TYPE_CHECKING:
    from imagenet_prep.engine.inputs import Inputs
    from imagenet_prep.engine.step import Config
    from imagenet_prep.formats.stream import Buffer, Stream
    from imagenet_prep.formats.webdataset import Files
    from imagenet_prep.products.audit.readings import Reading

INFO = "_info.json"
_COLUMNS = ("filename", "label", "wnid", "text", "width", "height", "crc32c", "header", "box_labels", *BOX_SIDES)
_KEYS = ["filename", "label", "width", "height", "wnid", "text", "boxes"]
_EXTENSIONS = {"JPEG": "jpg", "PNG": "png"}


class WebDataset(ShardedProduct):
    """WebDataset shards: of each image its bytes, its label, and all else as JSON."""

    name = "webdataset"
    version = 1
    section: Mapping[str, Mapping[str, Any]] = {
        "train_shards": {"$ref": "#/$defs/shards", "default": 1024},
        "validation_shards": {"$ref": "#/$defs/shards", "default": 64},
    }
    jobs = ("webdataset_shards",)
    sidecars = (INFO,)
    samples = "samples"
    # Three headers, half a block of padding behind the image, a block of label, and one or more of JSON.
    sample_bytes = 3 * 512 + 256 + 512 + 600
    naming = Naming("imagenet1k-{split}-{shard:0{width}d}.tar", ("imagenet1k-{split}-{shard:0{width}d}.idx",))
    beside_bytes = (132,)

    def write(self, file: FileIO, samples: Iterator[tuple[Row, Buffer]]) -> dict[str, Any]:
        """A sample an image: `<key>.jpg`, `<key>.cls`, `<key>.json`; the key is the image's name less its ending."""
        from imagenet_prep.formats import webdataset

        return webdataset.write_samples(file, (_files(row, image) for row, image in samples))

    def describe(self, inputs: Inputs) -> None:
        """Write the names of each split's shards and the numbers of samples in them, as timm reads `_info.json`."""
        from imagenet_prep import atomic

        splits = {}
        for it in files_by_split(inputs.all_of(self.name)):
            lengths = {name: content["records"] for name, content in sorted(it["files"].items())}
            splits[it["split"]] = {
                "name": it["split"],
                "filenames": [*lengths],
                "shard_lengths": [*lengths.values()],
                "num_samples": sum(lengths.values()),
            }
        atomic.write_json(inputs.output_dir / self.path / INFO, {"name": "imagenet1k", "splits": splits})

    def read(self, config: Config, split: str, unit: Path, reencoded: Collection[str]) -> Reading:
        """Read a shard with the reader of archives, and compare its index with what was read."""
        from imagenet_prep.formats import webdataset
        from imagenet_prep.formats.tfrecord import REMEDY
        from imagenet_prep.products.audit.readings import beside, read_file, schema_of

        lines: list[str] = []

        def rows(stream: Stream) -> Iterator[Row]:
            try:
                for key, files in webdataset.read_samples(stream, str(unit), unit.stat().st_size):
                    places = (f"{kind} {at} {len(content)} {key}.{kind}" for kind, (at, content) in files.items())
                    lines.append(" ".join(places))
                    yield _sample(key, {kind: content for kind, (_, content) in files.items()}, reencoded)
            except PrepError as error:  # its remedy is to get an archive again; a shard is made again
                raise PrepError(unit, error.problem, REMEDY, member=error.member, offset=error.offset) from error

        reading = read_file(unit, schema_of(_COLUMNS), rows)
        index = [f"{webdataset.INDEX_VERSION} {len(lines)}", *lines]
        return beside(reading, unit.with_suffix(".idx"), "".join(f"{line}\n" for line in index).encode())


def _files(row: Row, image: Buffer) -> tuple[str, Files]:
    key = row["filename"].rpartition(".")[0]
    values = [row["filename"], row["label"], row["width"], row["height"], row["wnid"], row["text"], boxes_of(row)]
    content = json.dumps(dict(zip(_KEYS, values, strict=True)), ensure_ascii=False, separators=(",", ":"))
    return key, (
        (_EXTENSIONS[row["format"]], image),
        ("cls", str(row["label"]).encode()),
        ("json", content.encode()),
    )


def _sample(key: str, files: Mapping[str, Buffer], reencoded: Collection[str]) -> Row:
    """What the files of a sample say.

    Raises:
        ValueError, KeyError, TypeError: they are not those of a sample.
    """
    from crc32c import crc32c

    from imagenet_prep.products.audit.readings import header_of

    (image,) = (content for kind, content in files.items() if kind in _EXTENSIONS.values())
    about = json.loads(bytes(files["json"]))
    if len(files) != 3 or [*about] != _KEYS or int(bytes(files["cls"])) != about["label"]:
        raise ValueError(f"the files of {key} are not those of a sample, or do not agree")
    if Path(about["filename"]).stem != key:
        raise ValueError(f"the JSON of {key} is that of {about['filename']}")
    boxes = about.pop("boxes")
    sides = dict(zip(BOX_SIDES, zip(*boxes, strict=True), strict=True)) if boxes else dict.fromkeys(BOX_SIDES, ())
    return {
        **about,
        "crc32c": crc32c(image),
        "header": header_of(image, about["filename"], reencoded),
        "box_labels": [about["label"]] * len(boxes),
        **sides,
    }
