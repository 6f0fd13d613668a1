"""The multi-label validation set as TFDS publishes it (imagenet2012_multilabel 3.0.0), images included.

Imports are light, since the Snakefile asks here at every start.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.engine.receipts import Body
from imagenet_prep.engine.shard_set import ShardSet, files_by_split
from imagenet_prep.engine.space import ImageTotals, Space, of_even_files
from imagenet_prep.engine.step import ALL, Config, Need, classes_of
from imagenet_prep.engine.table_steps import IMAGES
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example
from imagenet_prep.products import tfds
from imagenet_prep.products.multilabel import Multilabel
from imagenet_prep.products.shards import Row, ShardedProduct
from imagenet_prep.products.tfrecord import TFRecord

if TYPE_CHECKING:
    import pyarrow as pa

    from imagenet_prep.engine.inputs import Inputs
    from imagenet_prep.formats.stream import Buffer
    from imagenet_prep.products.audit.examples import Examples
    from imagenet_prep.products.audit.expected import Expected
    from imagenet_prep.products.audit.facts import Facts
    from imagenet_prep.products.audit.readings import Reading

VALIDATION = "validation"
"""The split of all annotated images, as TFDS calls it."""

IMAGENET_M = "imagenet_m"
"""The split of the few that models still get wrong, likewise."""

# What the audit compares: the lists of labels, said again here so that it does not go by what writes them, and columns
# of the table of images.
_JUDGED = ("correct_multi_labels", "unclear_multi_labels", "wrong_multi_labels")
_AUDITED_COLUMNS = ["filename", "crc32c", "width", "height"]

_IMAGE_COLUMNS = ["filename", "archive", "offset", "length", "format", "colorspace", "crc32c"]


class TFRecordMultilabel(ShardedProduct):
    """The annotated validation images with all their labels."""

    name = "tfrecord_multilabel"
    version = 1
    jobs = TFRecord.jobs
    sidecars = tfds.MULTILABEL_DESCRIPTION
    compared_with = (Multilabel.name,)

    def splits(self, dataset: Dataset) -> list[str]:
        """All annotated images, and ImageNet-M."""
        return [VALIDATION, IMAGENET_M]

    def splits_in_use(self, config: Config) -> list[str]:
        """Both, where the annotations and their images are in use."""
        return self.splits(dataset_of(config)) if self.is_in_use(config) else []

    def requires(self, dataset: Dataset) -> list[list[str]]:
        """The annotations and the images."""
        return [[dataset.multilabel.archive], [dataset.splits[dataset.multilabel.split].archive]]

    def shards_key(self, split: str) -> str:
        """The key of the TFRecords: the images are the same."""
        return f"{TFRecord.name}.{VALIDATION}_shards"

    def count(self, config: Config, split: str) -> int:
        """As many as the TFRecords of these images have; of ImageNet-M one."""
        return super().count(config, split) if split == VALIDATION else 1

    def split_of_images(self, config: Config, split: str) -> str:
        """The annotated one."""
        return dataset_of(config).multilabel.split

    def plan_settings(self, config: Config, split: str) -> dict[str, Any]:
        """Which classes, and the shuffle."""
        shuffle = {"shards": self.count(config, split), "seed": config["shards"]["seed"]}
        return {"classes": classes_of(config), "split": split, **shuffle}

    def plan_needs(self, config: Config, split: str) -> list[Need]:
        """The annotations and the images."""
        return [(Multilabel.name, ALL), (IMAGES.name, self.split_of_images(config, split))]

    def plan(self, inputs: Inputs, split: str, output: Path) -> Body:
        """Write the annotated images in the order of the shuffle, a row group a shard.

        Fewer images than shards get a shard each. A choice of classes may leave no image for ImageNet-M: that split is
        then left out, since TFDS reads no empty one.

        Raises:
            PrepError: no image is annotated.
        """
        import pyarrow as pa

        from imagenet_prep.engine.plan import boundaries, permutation
        from imagenet_prep.formats import parquet

        annotations = inputs.file(Multilabel.name, Multilabel().path)
        images = inputs.table(IMAGES.name, self.split_of_images(inputs.config, split))
        table = _joined(parquet.read(annotations), parquet.read(images, _IMAGE_COLUMNS))
        if not len(table):
            problem = "no image in use is annotated"
            raise PrepError(annotations, problem, f"Leave {self.name} out of products")
        if split == IMAGENET_M:
            table = table.filter(table["imagenet_m"])
        table = table.take(pa.array(permutation(len(table), inputs.settings["seed"])))
        shards = min(inputs.settings["shards"], len(table))
        with parquet.writing(output, table.schema) as writer:
            for start, stop in itertools.pairwise(boundaries(len(table), shards).tolist() if shards else []):
                writer.write_table(table.slice(start, stop - start), row_group_size=stop - start)
        return {"images": len(table), "shards": shards}

    def write(self, file: FileIO, samples: Iterator[tuple[Row, Buffer]]) -> dict[str, Any]:
        """A record an image: an Example with the features of `encode_features` and `image`."""
        from imagenet_prep.formats import tfrecord

        return tfrecord.write_examples(file, ((encode_features(row), image) for row, image in samples), "image")

    def description_settings(self, config: Config) -> dict[str, Any]:
        """What the names of the labels follow from."""
        return {"classes": classes_of(config)}

    def describe(self, inputs: Inputs) -> None:
        """Write the features, the names of the labels, and the numbers of records."""
        splits = files_by_split(inputs.all_of(self.name))
        tfds.describe_multilabel(splits, inputs.numbered_wnids, inputs.output_dir / self.path)

    def space(self, config: Config, split: str, images: ImageTotals, block: int) -> Space:
        """The annotated share of the images, and what stands beside each in its record."""
        dataset = dataset_of(config)
        annotated = dataset.multilabel.images if split == VALIDATION else dataset.multilabel.hard
        share = min(1.0, annotated / dataset.splits[self.split_of_images(config, split)].images)
        part = ImageTotals(round(images.count * share), round(images.nbytes * share))
        # Of fewer images than shards, a shard each.
        shards = max(1, min(self.count(config, split), part.count))
        return of_even_files(part.nbytes + part.count * self.sample_bytes + shards * block // 2, shards, block)

    def content(self, config: Config, images: Mapping[str, ImageTotals]) -> tuple[str, int]:
        """Whose set it is."""
        content, nbytes = super().content(config, images)
        return f"{content}: the multi-label set as TensorFlow Datasets publishes it", nbytes

    def existing(self, config: Config, split: str) -> int:
        """How many shards exist."""
        return sum(1 for _ in Path(config["output_dir"], self.path).glob(f"{split}-*-of-*"))

    def choices(self, config: Config) -> list[tuple[str, str]]:
        """Nothing: labels count from 0, as TFDS has them."""
        return []

    def audited_set(self, facts: Facts, split: str) -> ShardSet:
        """As many shards as images, where these are fewer than the shards asked for."""
        shards = min(self.count(facts.config, split), len(self.expected(facts, split)))
        return self.shard_set(facts.output_dir, split, shards)

    def expected(self, facts: Facts, split: str) -> Expected:
        """The annotated images, with their annotations."""
        import pyarrow.compute as pc

        from imagenet_prep.formats import parquet
        from imagenet_prep.products.audit.expected import Expected, SmallTable

        table = parquet.read(facts.output_dir / Multilabel().path)
        table = table.filter(table["imagenet_m"]) if split == IMAGENET_M else table
        images = facts.images(self.split_of_images(facts.config, split)).read(_AUDITED_COLUMNS)
        images = images.take(pc.index_in(table["file_name"], value_set=images["filename"].combine_chunks()))
        names = ["original_label", "is_problematic", *_JUDGED]
        for name in ("filename", *names):  # an image that is not in use is missing all the same
            place = images.schema.get_field_index(name)
            column = table["file_name" if name == "filename" else name]
            images = images.append_column(name, column) if place < 0 else images.set_column(place, name, column)
        return Expected(
            SmallTable(images),
            facts.classes,
            reencoded=self.reencoded(facts, split),
            unknown=f"it is in {split} and should not be",
        )

    def read(self, config: Config, split: str, unit: Path, reencoded: Collection[str]) -> Reading:
        """Read a shard with both checksums of every record, and all features."""
        return _examples().read(unit, reencoded)


@cache
def _examples() -> Examples:
    """The features of a record as the audit reads them."""
    import pyarrow as pa

    from imagenet_prep.products.audit.examples import Examples, number, numbers, text

    judged = dict.fromkeys(_JUDGED, numbers)
    kinds = {"original_label": number, "is_problematic": number, **judged}
    own = {name: pa.list_(pa.int64()) if name in judged else pa.int64() for name in kinds}
    features = {"file_name": ("filename", text), **{name: (name, kind) for name, kind in kinds.items()}}
    return Examples(features, "image", own=own)


def encode_features(row: Row) -> bytes:
    """All features of an annotated image but `image`, as TFDS's `imagenet2012_multilabel` defines them."""
    return b"".join(
        [
            example.bytes_entry("file_name", row["file_name"].encode()),
            example.int64_entry("is_problematic", [int(row["is_problematic"])]),
            example.int64_entry("original_label", [row["original_label"]]),
            *(example.int64_entry(name, row[name]) for name in tfds.JUDGED),
        ]
    )


def _joined(multilabel: pa.Table, images: pa.Table) -> pa.Table:
    """The annotated images with the place of each in its archive, by file name."""
    import pyarrow.compute as pc

    position = pc.index_in(multilabel["file_name"], value_set=images["filename"].combine_chunks())
    known = pc.is_valid(position)
    multilabel, images = multilabel.filter(known), images.take(position.filter(known))
    for name in images.column_names:
        multilabel = multilabel.append_column(name, images[name])
    return multilabel.sort_by("filename")
