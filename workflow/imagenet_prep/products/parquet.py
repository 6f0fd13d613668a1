"""Parquet files as the Hub has `ILSVRC/imagenet-1k`, which `load_dataset` reads with the names of the classes.

Imports are light, since the Snakefile asks here at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import BOX_SIDES, Dataset, Labels
from imagenet_prep.engine.shard_set import Naming, files_by_split
from imagenet_prep.engine.step import ALL, Config, Need, classes_of
from imagenet_prep.engine.table_steps import DEVKIT
from imagenet_prep.products.shards import Row, ShardedProduct, boxes_of

if TYPE_CHECKING:
    import pyarrow as pa

    from imagenet_prep.engine.inputs import Inputs
    from imagenet_prep.formats.hub_parquet import Sample
    from imagenet_prep.formats.stream import Buffer
    from imagenet_prep.products.audit.readings import Reading

CARD = "README.md"
"""The dataset card, whose front matter the Hub and `load_dataset` read."""

NO_LABEL = -1
"""The label of a test image, as on the Hub."""

_COLUMNS = ("filename", "label", "crc32c", "header", "box_labels", *BOX_SIDES)


class Parquet(ShardedProduct):
    """Images, labels and boxes as Parquet, of the test set, too."""

    name = "parquet"
    version = 1
    section: Mapping[str, Mapping[str, Any]] = {
        "train_shards": {"$ref": "#/$defs/shards", "default": 294},
        "validation_shards": {"$ref": "#/$defs/shards", "default": 14},
        "test_shards": {"$ref": "#/$defs/shards", "default": 28},
    }
    jobs = ("parquet_shards",)
    unit = "files"
    samples = "rows"
    sidecars = (CARD,)
    sample_bytes, shard_bytes = 200, 3500
    window = 64 << 20  # a row group is held, too
    naming = Naming("data/{split}-{shard:05d}-of-{shards:05d}.parquet")

    def splits(self, dataset: Dataset) -> list[str]:
        """The splits of other products in shards, and the test set."""
        return [it.name for it in dataset.splits.values() if it.in_shards or it.labels is Labels.NONE]

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """The names of the classes stand in every file."""
        return {**super().settings(config, subject), "classes": classes_of(config)}

    def inputs(self, config: Config, subject: str) -> list[Need]:
        """The plan, and the devkit for these names."""
        return [*self.needs(config, subject), (DEVKIT.name, ALL)]

    def writer(self, inputs: Inputs) -> Callable[[FileIO, Iterator[tuple[Row, Buffer]]], dict[str, Any]]:
        """Writes a file with these names."""
        from imagenet_prep.formats import hub_parquet

        return partial(self._write, hub_parquet.schema(class_names(inputs)))

    def _write(self, schema: pa.Schema, file: FileIO, samples: Iterator[tuple[Row, Buffer]]) -> dict[str, Any]:
        from imagenet_prep import atomic
        from imagenet_prep.formats import hub_parquet

        hub_parquet.write_samples(str(file.name), (_sample(row, image) for row, image in samples), schema)
        return {"bytes": Path(str(file.name)).stat().st_size, "crc32c": atomic.crc32c(str(file.name))}

    def description_settings(self, config: Config) -> dict[str, Any]:
        """What the names of the labels follow from."""
        return {"classes": classes_of(config)}

    def describe(self, inputs: Inputs) -> None:
        """Write the card: the splits, the columns, the names of the classes."""
        from imagenet_prep import atomic
        from imagenet_prep.formats import hub_parquet

        splits = {
            it["split"]: tuple(sum(content[key] for content in it["files"].values()) for key in ("records", "bytes"))
            for it in files_by_split(inputs.all_of(self.name))
        }
        text = hub_parquet.card(class_names(inputs), splits, inputs.dataset.title)
        atomic.write_text(inputs.output_dir / self.path / CARD, text)

    def read(self, config: Config, split: str, unit: Path, reencoded: Collection[str]) -> Reading:
        """Read a file; one that was changed in a process of its own, which pyarrow may end on damaged bytes."""
        from imagenet_prep.products.audit.readings import read_apart

        rows = partial(_read, unlabelled=dataset_of(config).splits[split].labels is Labels.NONE, reencoded=reencoded)
        return read_apart(Path(config["output_dir"]), self.name, unit, _COLUMNS, rows)


def class_names(inputs: Inputs) -> list[str]:
    """The words of each class by index; of classes with the same words the later ones with a number, as on the Hub."""
    words = dict(zip(*(inputs.synsets[column].to_pylist() for column in ("wnid", "words")), strict=True))
    names: list[str] = []
    for wnid in inputs.numbered_wnids:
        name, number = words[wnid], 1
        while name in names:
            number += 1
            name = f"{words[wnid]}{number}"
        names.append(name)
    return names


def _sample(row: Row, image: Buffer) -> Sample:
    from imagenet_prep.formats.hub_parquet import Sample

    label = NO_LABEL if row["label"] is None else row["label"]
    return Sample(image, row["filename"], label, boxes_of(row))


def _read(path: Path, unlabelled: bool, reencoded: Collection[str]) -> Iterator[Row]:
    """The samples in a file; raises `ValueError` where an image has a label and should have none."""
    from crc32c import crc32c

    from imagenet_prep.formats import hub_parquet
    from imagenet_prep.products.audit.readings import header_of

    for sample in hub_parquet.read_samples(path):
        if unlabelled and sample.label != NO_LABEL:
            raise ValueError(f"{sample.path} has the label {sample.label} in place of {NO_LABEL}")
        sides = zip(*sample.boxes, strict=True) if sample.boxes else [()] * len(BOX_SIDES)
        yield {
            "filename": sample.path,
            "label": sample.label,
            "crc32c": crc32c(sample.image),
            "header": header_of(sample.image, sample.path, reencoded),
            "box_labels": [sample.label] * len(sample.boxes),
            **dict(zip(BOX_SIDES, sides, strict=True)),
        }
