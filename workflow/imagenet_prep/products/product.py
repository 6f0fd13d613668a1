"""What a product is: the interface that each product implements, in a module beside this one.

A product has one name: the target, the section of the configuration, the folder below `output_dir`, the folder of its
receipts, and the row on the page. Imports are light, since the Snakefile asks here at every start: what only the making
needs is imported where something is made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.engine import batches
from imagenet_prep.engine.receipts import Body
from imagenet_prep.engine.space import Existing, ImageTotals, Space, image_totals
from imagenet_prep.engine.step import ALL, Config, Need, Step

if TYPE_CHECKING:
    import pyarrow as pa

    from imagenet_prep.engine.image_reader import Numbers
    from imagenet_prep.engine.inputs import Inputs
    from imagenet_prep.products.audit.expected import Expected
    from imagenet_prep.products.audit.facts import Facts
    from imagenet_prep.products.audit.findings import Check
    from imagenet_prep.products.audit.readings import Reading


class Product(Step):
    """What people ask for by one name.

    Attributes:
        section: JSON schema of the keys of its section in the configuration, their defaults included.
        jobs: its keys in the section `jobs`, which say how many units one job makes; with null, `batch_size` says it.
        is_target: whether people ask for it by name; else it is made with the others.
        is_audited: whether the audit looks at it.
        used_by_audit: those of its files that other products are compared with; empty: all of them.
        points_into_archives: whether it is of use only as long as the archives are there.
    """

    section: Mapping[str, Mapping[str, Any]] = {}
    jobs: tuple[str, ...] = ()
    is_target = True
    is_audited = True
    used_by_audit: tuple[str, ...] = ()
    points_into_archives = False

    @property
    def path(self) -> str:
        """Where it lies below `output_dir`; a folder ends with a slash."""
        return f"{self.name}/"

    @property
    def shown_at(self) -> str:
        """The place that the end of a run names, below `output_dir`; products with the same place share a line."""
        return self.path

    def requires(self, dataset: Dataset) -> list[list[str]]:
        """Groups of archives that it is made from, less the devkit: of each group at least one has to be in use."""
        return []

    def refuses(self, config: Config) -> tuple[str, str, str] | None:
        """Key, problem and remedy of what in the configuration keeps it from being made; None where nothing does."""
        return None

    def is_in_use(self, config: Config) -> bool:
        """Whether the archives that it is made from are in use."""
        return all(set(group) & set(config["use"]) for group in self.requires(dataset_of(config)))

    def places(self, dataset: Dataset) -> list[str]:
        """The folders below `output_dir` in which its files lie."""
        return [self.path.rpartition("/")[0]]

    def known_by(self, config: Config) -> list[Need]:
        """The steps, each with its subject, that have made all of it when they are done."""
        return [(self.name, ALL)]

    def files(self, config: Config) -> list[str]:
        """The paths, below `output_dir`, of its files that have the same names in every configuration."""
        return []

    def content(self, config: Config, images: Mapping[str, ImageTotals]) -> tuple[str, int]:
        """What it consists of, in words for the page, and its bytes; `images` are those of each split in use."""
        return "", sum(Path(config["output_dir"], name).stat().st_size for name in self.files(config))

    def choices(self, config: Config) -> list[tuple[str, str]]:
        """The settings that decide what comes out, in words for the page: what each is about, and its value."""
        return []

    def made(self, config: Config) -> str:
        """What has been made, in a few words for the end of a run; "" where the number of images says enough."""
        names = ", ".join(Path(name).name for name in self.files(config))
        return self.content(config, {})[0] if self.path.endswith("/") else names

    def examinations(self, facts: Facts) -> dict[str, Callable[[str], Check]]:
        """The checks of its files, by name: functions that take the command which mends the file, and do the check."""
        return {}


class SplitProduct(Product):
    """A product that is cut by split, and each split into units, such as class folders or shards.

    Attributes:
        goes_through_images: whether its units are made of the bytes of images; else of tables alone.
        unit: what a unit is called, in the plural.
        unit_by_unit: whether a unit is made from the unit with the same number of another product.
        sidecars: names of the files beside the units that describe all of them, such as `features.json`.
        samples: what a sample in a unit is called, in the plural.
        compared_with: names of the tables, less that of the images, that its samples are compared with.
        is_each_unit_whole: whether each unit holds all samples of its split, in a form for another reader.
    """

    is_timed = True
    goes_through_images = True
    unit_by_unit = False
    unit = ""
    sidecars: tuple[str, ...] = ()
    samples = "samples"
    compared_with: tuple[str, ...] = ()
    is_each_unit_whole = False

    def __init__(self) -> None:
        self.rule = f"write_{self.name}"

    @property
    def description(self) -> str:
        """The step that writes the sidecars."""
        return f"{self.name}_description"

    def splits(self, dataset: Dataset) -> list[str]:
        """The splits that it can have."""
        raise NotImplementedError

    def splits_in_use(self, config: Config) -> list[str]:
        """The splits that it can have whose archives are in use."""
        dataset = dataset_of(config)
        return [name for name in self.splits(dataset) if dataset.splits[name].archive in config["use"]]

    def obstacle(self, config: Config, split: str) -> str | None:
        """Why a split cannot be made of what stands in for its archive, and is left out; None where it can."""
        return None

    def requires(self, dataset: Dataset) -> list[list[str]]:
        """The archive of at least one of its splits."""
        return [[dataset.splits[name].archive for name in self.splits(dataset)]]

    def known_by(self, config: Config) -> list[Need]:
        """The steps of all splits in use, and that of the sidecars."""
        splits = self.splits_in_use(config)
        return [*((self.name, split) for split in splits), *([(self.description, ALL)] if self.sidecars else [])]

    def files(self, config: Config) -> list[str]:
        """The sidecars."""
        return [f"{self.path}{name}" for name in self.sidecars]

    def made(self, config: Config) -> str:
        """What has been made where it is made of tables; else the end of a run tells the number of images."""
        return "" if self.goes_through_images else super().made(config)

    def split_of_images(self, config: Config, split: str) -> str:
        """The split of the data set that the images in a split of the product are from."""
        return split

    def count(self, config: Config, split: str) -> int:
        """How many units a split has, at the most."""
        raise NotImplementedError

    def jobs_key(self, config: Config, split: str) -> str:
        """The key in the section `jobs` that holds for a split."""
        return self.jobs[0]

    def job_bytes(self, config: Config, split: str) -> int:
        """How many bytes of images make a job worth its start, where the configuration does not say its size."""
        return batches.JOB_BYTES if self.goes_through_images else batches.JOB_BYTES_OF_TABLES

    def batch_size(self, config: Config, split: str, archives: Mapping[str, int] | None = None) -> int:
        """How many units one job makes: as configured, else so many that it is worth its start and takes no hour.

        `archives` are the sizes in bytes of those that are there; of the others, the published sizes count.
        """
        count = self.count(config, split)
        if asked := config["jobs"][self.jobs_key(config, split)]:
            return int(asked)
        images = image_totals(config, Existing(archives or {}), self.split_of_images(config, split)).nbytes
        return batches.size(count, images, self.job_bytes(config, split))

    def units(self, inputs: Inputs, split: str) -> list[str]:
        """The paths of the units below `output_dir`, in order."""
        raise NotImplementedError

    def make(self, inputs: Inputs, split: str, first: int, last: int) -> Body:
        """Make the units from number `first` to number `last`; return what their receipt says, such as `files`.

        Args:
            inputs: what the job is given.
            split: of the units.
            first: number of the first one, counted from 0.
            last: number of the last one, included; it may be beyond the last unit that there is.

        Raises:
            PrepError: an archive, or something else that it is made from, is missing or damaged.
        """
        raise NotImplementedError

    def description_settings(self, config: Config) -> dict[str, Any]:
        """The settings that the sidecars depend on."""
        return {}

    def describe(self, inputs: Inputs) -> None:
        """Write the sidecars."""

    def space(self, config: Config, split: str, images: ImageTotals, block: int) -> Space:
        """The bytes and files that a split takes; a file takes whole blocks of the file system, of `block` bytes."""
        raise NotImplementedError

    def ledgers(self, config: Config, split: str) -> int:
        """How many files the ledger of a split takes."""
        return 1

    def place(self, dataset: Dataset, split: str) -> str:
        """The folder of a split's units, below `output_dir`."""
        return self.path

    def places(self, dataset: Dataset) -> list[str]:
        """The folders of all splits."""
        return [self.path, *(self.place(dataset, split) for split in self.splits(dataset))]

    def existing(self, config: Config, split: str) -> int:
        """How many units of a split exist."""
        raise NotImplementedError

    def remove_leftovers(self, config: Config, split: str, receipts: Collection[Body]) -> int:
        """Take away the units of a split that none of these receipts names; return how many they name."""
        raise NotImplementedError

    def remove(self, config: Config, split: str) -> None:
        """Take away all units that were made of a split."""
        raise NotImplementedError

    def is_made(self, config: Config) -> bool:
        """Whether a ledger says that units were made, so that the sidecars are of this workflow, too."""
        return False

    # For the audit. What reads a unit shares no code with what makes it, or both would have the same faults.

    def audited_units(self, facts: Facts, split: str) -> list[Path]:
        """The files or folders that a split consists of, by what the tables say of it."""
        raise NotImplementedError

    def audited_files(self, facts: Facts, split: str) -> list[Path]:
        """The units, and the files that are made with each of them."""
        return self.audited_units(facts, split)

    def pattern(self, facts: Facts, split: str) -> str:
        """What matches the units in a shell, and nothing else; "" where each sample is a file of its own."""
        return ""

    def reencoded(self, facts: Facts, split: str) -> frozenset[str]:
        """The file names of the images that it holds encoded again, with other bytes than the archive's."""
        return frozenset()

    def expected(self, facts: Facts, split: str) -> Expected:
        """The samples that a split should have."""
        from imagenet_prep.products.audit.expected import Expected

        return Expected(facts.images(self.split_of_images(facts.config, split)), facts.classes)

    def order(self, config: Config, expected: Expected) -> Numbers | None:
        """The numbers of the images in the order of the samples, int64; None where they are in that of file names."""
        return None

    def was_made(self, config: Config, path: Path) -> bool:
        """Whether a file or folder is a unit that an older configuration made, which the next run takes away."""
        return False

    def read(self, config: Config, split: str, unit: Path, reencoded: Collection[str]) -> Reading:
        """Read a unit, which is one of `audited_units`, once.

        Args:
            config: the configuration, complete.
            split: of the unit.
            unit: its path.
            reencoded: file names of the images that were encoded again, of which the header is read.

        Returns:
            Its samples, as rows with the columns of `audit.readings` that the format carries.
        """
        raise NotImplementedError

    def fits(self, unit: Path, samples: pa.Table) -> bool:
        """Whether a unit fits the samples of the unit that it was made from, of a product made unit by unit."""
        raise NotImplementedError

    def names_of(self, facts: Facts, split: str, numbers: Numbers) -> list[str]:
        """What messages call samples, given by the numbers of their images in `expected`."""
        names = self.expected(facts, split).images.rows(numbers, ["filename"])["filename"].to_pylist()
        return [f"{self.name}: image {name}" for name in names]
