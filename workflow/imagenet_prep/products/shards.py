"""Products in shards: a plan says which image goes into which shard, and where; the product writes each shard.

A product of this kind says how many shards it has, what they are called, and how one is written and read. Imports are
light, since the Snakefile asks here at every start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import BOX_SIDES, Dataset
from imagenet_prep.engine.receipts import Body
from imagenet_prep.engine.shard_set import (
    USUAL,
    Naming,
    ShardSet,
    is_of_a_set,
    remove_others,
    remove_splits,
    sets_made,
)
from imagenet_prep.engine.space import ImageTotals, Space, of_even_files
from imagenet_prep.engine.step import Config, Need, classes_of, part_of
from imagenet_prep.engine.table_steps import IMAGES, boxes_in_use
from imagenet_prep.products.product import SplitProduct

if TYPE_CHECKING:
    from imagenet_prep.engine.image_reader import Numbers
    from imagenet_prep.engine.inputs import Inputs
    from imagenet_prep.formats.stream import Buffer
    from imagenet_prep.products.audit.expected import Expected
    from imagenet_prep.products.audit.facts import Facts

Row = dict[str, Any]
"""A row of the plan (`engine.plan.PLAN`), or of what the audit reads of a sample."""

SECTION: dict[str, dict[str, Any]] = {
    "seed": {
        "description": "a whole number from 0 to 4294967295",
        "type": "integer",
        "minimum": 0,
        "maximum": 4294967295,
        "default": 12345,
    },
    "cmyk_to_rgb": {"$ref": "#/$defs/switch", "default": True},
    "png_to_jpeg": {"$ref": "#/$defs/switch", "default": True},
}
"""The section `shards` of the configuration, which all products in shards share."""

REENCODED = {"CMYK": "cmyk_to_rgb", "PNG": "png_to_jpeg"}
"""The kinds of images that can be stored again as RGB JPEG, each with the key of the section that says whether."""


def boxes_of(row: Row) -> list[tuple[float, ...]]:
    """The boxes of a row of the plan: xmin, ymin, xmax and ymax of each, 0 … 1."""
    return list(zip(*(row[side] for side in BOX_SIDES), strict=True))


def reencoding(config: Config) -> dict[str, Any]:
    """The settings of which images are stored again as RGB JPEG."""
    return {key: config["shards"][key] for key in REENCODED.values()}


class ShardedProduct(SplitProduct):
    """A product in shards.

    Attributes:
        label_base: the label of the class with index 0; a key of its section with this name counts instead.
        sample_bytes: bytes of a sample besides its image.
        shard_bytes: bytes of a shard besides its samples.
        naming: how the shards are called, and files that are written beside each.
        beside_bytes: bytes of a sample in each of these files.
        granule: bytes of which a shard has whole multiples.
        window: bytes of images that a job holds at once, beside what the format holds; None: as the engine has it.
    """

    unit = "shards"
    samples = "records"
    label_base = 0
    sample_bytes = 400
    shard_bytes = 0
    naming = USUAL
    beside_bytes: tuple[int, ...] = ()
    granule = 1
    window: int | None = None

    def splits(self, dataset: Dataset) -> list[str]:
        """The splits that products in shards are made of."""
        return [split.name for split in dataset.splits.values() if split.in_shards]

    def shards_key(self, split: str) -> str:
        """The key of the configuration that says how many shards a split has."""
        return f"{self.name}.{split}_shards"

    def count(self, config: Config, split: str) -> int:
        """How many shards a split has."""
        section, _, key = self.shards_key(split).partition(".")
        return int(config[section][key])

    def first_label(self, config: Config) -> int:
        """The label of the class with index 0."""
        return int(config.get(self.name, {}).get("label_base", self.label_base))

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Which images are encoded again; all else follows from the plan."""
        return reencoding(config)

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The plan."""
        return [("plan", part_of(self.name, subject))]

    def reads(self, config: Config, subject: str) -> list[str]:
        """The archive of the images."""
        return [dataset_of(config).splits[self.split_of_images(config, subject)].archive]

    def plan_settings(self, config: Config, split: str) -> dict[str, Any]:
        """The settings that the plan of a split follows from."""
        return {
            "classes": classes_of(config),
            "shards": self.count(config, split),
            "seed": config["shards"]["seed"],
            "label_base": self.first_label(config),
        }

    def plan_needs(self, config: Config, split: str) -> list[Need]:
        """What the plan of a split is made from: the images, and the boxes where they are in use."""
        return [(IMAGES.name, split), *boxes_in_use(config, split)]

    def plan(self, inputs: Inputs, split: str, output: Path) -> Body:
        """Write the plan of a split; return how many images and shards it has."""
        from imagenet_prep.engine.plan import write_plan

        boxes = boxes_in_use(inputs.config, split)
        return write_plan(
            inputs.table(IMAGES.name, split),
            inputs.table(*boxes[0]) if boxes else None,
            inputs.classes,
            shards=inputs.settings["shards"],
            seed=inputs.settings["seed"],
            label_base=inputs.settings["label_base"],
            key=self.shards_key(split),
            output=output,
        )

    def write(self, file: FileIO, samples: Iterator[tuple[Row, Buffer]]) -> dict[str, Any]:
        """Write a shard; return its `bytes` and its `crc32c` in hexadecimal, and `beside`, the contents of other files.

        Args:
            file: open for writing, unbuffered.
            samples: rows of the plan (`engine.plan.PLAN`), each with the bytes of its image, which are valid as long as
                they are held.

        Returns:
            `beside` is a list of bytes, in the order of `naming.beside`; it is left out where that is empty.
        """
        raise NotImplementedError

    def writer(self, inputs: Inputs) -> Callable[[FileIO, Iterator[tuple[Row, Buffer]]], dict[str, Any]]:
        """The function that writes a shard; another one than `write` where a format has to know more than the rows."""
        return self.write

    def shard_set(self, output_dir: Path, split: str, shards: int) -> ShardSet:
        """The shards of a split."""
        return ShardSet(output_dir, self.name, split, shards, self.naming_of(split))

    def naming_of(self, split: str) -> Naming:
        """How the files of a split are called."""
        return self.naming

    def _planned(self, inputs: Inputs, split: str) -> tuple[Path, ShardSet]:
        from imagenet_prep.formats import parquet

        plan = inputs.table("plan", part_of(self.name, split))
        return plan, self.shard_set(inputs.output_dir, split, parquet.open_table(plan).num_row_groups)

    def units(self, inputs: Inputs, split: str) -> list[str]:
        """The shards of the plan."""
        return self._planned(inputs, split)[1].names()

    def make(self, inputs: Inputs, split: str, first: int, last: int) -> Body:
        """Write shards in one sweep over the archive each."""
        from imagenet_prep.engine.shard_writer import Reencoding, write_shards

        plan, shards = self._planned(inputs, split)
        shards.write_down()
        archive = inputs.archive(self.split_of_images(inputs.config, split))
        last = min(last, shards.shards - 1)
        reencoding, write = Reencoding.of(inputs.settings), self.writer(inputs)
        return write_shards(plan, shards, first, last, archive, reencoding, write, self.window)

    def space(self, config: Config, split: str, images: ImageTotals, block: int) -> Space:
        """The images, and what stands beside each; shards of as many images have not as many bytes."""
        shards = self.count(config, split)
        sizes = [images.nbytes + images.count * self.sample_bytes + shards * self.shard_bytes]
        sizes += [images.count * nbytes for nbytes in self.beside_bytes]
        blocks = [max(block, self.granule), *(block for _ in self.beside_bytes)]
        parts = [of_even_files(n + shards * of // 2, shards, of) for n, of in zip(sizes, blocks, strict=True)]
        return Space(sum(part.nbytes for part in parts), sum(part.files for part in parts))

    def order(self, config: Config, expected: Expected) -> Numbers:
        """Shuffled by the seed."""
        return expected.in_order(config["shards"]["seed"])

    def was_made(self, config: Config, path: Path) -> bool:
        """Whether it is of a set in the ledger."""
        output_dir, splits = Path(config["output_dir"]), self.splits(dataset_of(config))
        return any(is_of_a_set(output_dir, self.name, path, self.naming_of(split)) for split in splits)

    def existing(self, config: Config, split: str) -> int:
        """How many shards exist."""
        paths = self.shard_set(Path(config["output_dir"]), split, self.count(config, split)).paths()
        return sum(path.is_file() for path in paths)

    def remove_leftovers(self, config: Config, split: str, receipts: Collection[Body]) -> int:
        """Take away the shards of other numbers."""
        shards = sum(len(body["files"]) for body in receipts) // (1 + len(self.naming.beside))
        remove_others(self.shard_set(Path(config["output_dir"]), split, shards))
        return shards

    def remove(self, config: Config, split: str) -> None:
        """Take away all shards of a split."""
        remove_splits(Path(config["output_dir"]), self.name, [split], self.naming_of(split))

    def is_made(self, config: Config) -> bool:
        """Whether sets of shards are noted."""
        return bool(sets_made(Path(config["output_dir"]), self.name))

    def content(self, config: Config, images: Mapping[str, ImageTotals]) -> tuple[str, int]:
        """How many shards of each split, and all bytes."""
        output_dir = Path(config["output_dir"])
        sizes = {split: shard_sizes(self, output_dir, split) for split in self.splits_in_use(config)}
        content = ", ".join(f"{len(of)} {self.unit} of {split}" for split, of in sizes.items() if of)
        return content, sum(map(sum, sizes.values()))

    def choices(self, config: Config) -> list[tuple[str, str]]:
        """How labels count, and the order."""
        seed = config["shards"]["seed"]
        return [(self.name, f"labels from {self.first_label(config)}, shuffled by seed {seed}")]

    def audited_set(self, facts: Facts, split: str) -> ShardSet:
        """The shards that a split should consist of."""
        return self.shard_set(facts.output_dir, split, self.count(facts.config, split))

    def audited_units(self, facts: Facts, split: str) -> list[Path]:
        """The shards."""
        return self.audited_set(facts, split).paths()

    def audited_files(self, facts: Facts, split: str) -> list[Path]:
        """The shards, and the files that are written beside each."""
        return list(self.audited_set(facts, split).files())

    def pattern(self, facts: Facts, split: str) -> str:
        """What matches the names of the shards."""
        return self.audited_set(facts, split).pattern

    def reencoded(self, facts: Facts, split: str) -> frozenset[str]:
        """Those that the section `shards` has encoded again."""
        return facts.reencoded(self.split_of_images(facts.config, split))

    def expected(self, facts: Facts, split: str) -> Expected:
        """The images, with their labels, and with their boxes where those are in use."""
        from imagenet_prep.products.audit.expected import Expected

        of = self.split_of_images(facts.config, split)
        boxes = facts.boxes(of) if facts.has_boxes(of) else None
        return Expected(
            facts.images(of),
            facts.classes,
            boxes=boxes,
            lacks=facts.box_table if facts.has_boxes(of) and boxes is None else None,
            label_base=self.first_label(facts.config),
            reencoded=self.reencoded(facts, split),
        )


def shard_sizes(product: ShardedProduct, output_dir: Path, split: str) -> list[int]:
    """The bytes of each shard of a split that exists, in order."""
    found = sorted((output_dir / product.path).glob(product.naming_of(split).patterns(split)[0]))
    return [path.stat().st_size for path in found]
