"""The multi-label validation set as TFDS publishes it (imagenet2012_multilabel 3.0.0), images included."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_prep.dataset.shards import boundaries, permutation
from imagenet_prep.engine.receipts import described
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example, parquet
from imagenet_prep.products.shardset import TFRECORD_MULTILABEL, ShardSet, remove_others
from imagenet_prep.products.tfds import JUDGED, MULTILABEL_DESCRIPTION, describe_multilabel
from imagenet_prep.products.tfrecords import Layout, Reencoding, write_shard

_IMAGE_COLUMNS = ["filename", "offset", "nbytes", "format", "colorspace", "crc32c"]


def encode_features(row: dict[str, Any]) -> bytes:
    """All features of an annotated image but the image."""
    return b"".join(
        [
            example.bytes_entry("file_name", row["file_name"].encode()),
            example.int64_entry("is_problematic", [int(row["is_problematic"])]),
            example.int64_entry("original_label", [row["original_label"]]),
            *(example.int64_entry(name, row[name]) for name in JUDGED),
        ]
    )


LAYOUT = Layout(encode_features, "image")


def shards_of(output_dir: Path, split: str, images: int, shards: int) -> ShardSet:
    """The shards of a split of so many images.

    Of a few classes, none may be in ImageNet-M: then that split is not there, since TFDS reads no empty one.

    Args:
        output_dir: the configured folder.
        split: "validation" or "imagenet_m".
        images: how many the split has.
        shards: of `validation`, fewer where there are fewer images; `imagenet_m` has one.
    """
    most = shards if split == "validation" else 1
    return ShardSet(output_dir, TFRECORD_MULTILABEL, split, min(most, images))


def write_multilabel_records(
    multilabel: Path,
    images: Path,
    archive: Path,
    output_dir: Path,
    *,
    shards: int,
    seed: int,
    reencoding: Reencoding,
    names: list[str],
) -> dict[str, dict[str, Any]]:
    """Write the splits `validation` (all annotated images) and `imagenet_m`, and what describes them; return the files.

    Args:
        multilabel: the table of multi-label annotations.
        images: the validation set's images.
        archive: in which these lie.
        output_dir: the configured folder; shards of an older configuration are taken away there.
        shards: as for `shards_of`.
        seed: of the shuffle.
        reencoding: as for the other records.
        names: the name of every label.

    Returns:
        What the receipt says of each file, by its path below the output folder.

    Raises:
        PrepError: no image is annotated, or as `tfrecords.write_shards`.
    """
    table = _joined(parquet.read(multilabel), parquet.read(images, _IMAGE_COLUMNS))
    if not len(table):
        raise PrepError(multilabel, "no image in use is annotated", "Leave multilabel_tfrecords out of products")
    splits: list[dict[str, Any]] = []
    for split, part in (("validation", table), ("imagenet_m", table.filter(table["imagenet_m"]))):
        part = part.take(pa.array(permutation(len(part), seed)))
        found = shards_of(output_dir, split, len(part), shards)
        found.write_down()
        edges = boundaries(len(part), found.shards).tolist() if found.shards else []
        files = {}
        for path, (start, stop) in zip(found.paths(), itertools.pairwise(edges), strict=True):
            rows = part.slice(start, stop - start).to_pylist()
            files[path.name] = write_shard(path, rows, archive, reencoding, LAYOUT)
        remove_others(found)
        splits.append({"split": split, "files": files})
    folder = output_dir / TFRECORD_MULTILABEL
    describe_multilabel(splits, names, folder)
    described_files = described(output_dir, [folder / name for name in MULTILABEL_DESCRIPTION])
    shard_files = {f"{TFRECORD_MULTILABEL}/{name}": it for split in splits for name, it in split["files"].items()}
    return {**shard_files, **described_files}


def _joined(multilabel: pa.Table, images: pa.Table) -> pa.Table:
    """The annotated images with the place of each in its archive, by file name."""
    position = pc.index_in(multilabel["file_name"], value_set=images["filename"].combine_chunks())
    known = pc.is_valid(position)
    multilabel, images = multilabel.filter(known), images.take(position.filter(known))
    for name in images.column_names:
        multilabel = multilabel.append_column(name, images[name])
    return multilabel.sort_by("filename")
