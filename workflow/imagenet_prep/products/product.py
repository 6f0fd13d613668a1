"""What a product is: the interface of the modules beside this one, each of which declares one or makes one.

The name of a product is the target, the section of the configuration, the folder below `output_dir`, the folder of its
receipts, and the row on the page. Imports are light, since the Snakefile asks here at every start: what making needs
is imported where something is made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.engine import batches
from imagenet_prep.engine.receipts import Body
from imagenet_prep.engine.space import Images, Space, There, images_of
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
        jobs: its keys in the section `jobs`: how many units one job makes; null: as many as `batch_size` finds.
        is_target: whether people ask for it; else it is made with the others.
        is_audited: whether the audit looks at it.
        used_by_audit: its files that the audit holds others against, of several.
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
        """Where people are sent to at the end of a run, below `output_dir`; products in one place share a line."""
        return self.path

    def requires(self, dataset: Dataset) -> list[list[str]]:
        """The archives that it is made from, beside the devkit: of each group at least one has to be in use."""
        return []

    def refuses(self, config: Config) -> tuple[str, str, str] | None:
        """The key of the configuration with which it cannot be made, what is wrong with that, and what to do."""
        return None

    def is_in_use(self, config: Config) -> bool:
        """Whether the archives that it is made from are in use."""
        return all(set(group) & set(config["use"]) for group in self.requires(dataset_of(config)))

    def places(self, dataset: Dataset) -> list[str]:
        """The folders below `output_dir` in which its files lie."""
        return [self.path.rpartition("/")[0]]

    def known_by(self, config: Config) -> list[Need]:
        """The steps that have made all of it when they are done."""
        return [(self.name, ALL)]

    def files(self, config: Config) -> list[str]:
        """Its files that keep their names whatever the configuration, by path below `output_dir`."""
        return []

    def content(self, config: Config, images: Mapping[str, Images]) -> tuple[str, int]:
        """What it consists of, for people, and its bytes; `images` are those of the splits in use."""
        return "", sum(Path(config["output_dir"], name).stat().st_size for name in self.files(config))

    def choices(self, config: Config) -> list[tuple[str, str]]:
        """The settings that decide what comes out, for people: what they are about, and what they say."""
        return []

    def made(self, config: Config) -> str:
        """What has been made, in a few words for the end of a run; "" where the number of images says it."""
        names = ", ".join(Path(name).name for name in self.files(config))
        return self.content(config, {})[0] if self.path.endswith("/") else names

    def examinations(self, facts: Facts) -> dict[str, Callable[[str], Check]]:
        """What the audit looks at in its files: by the name of a check, what makes it from the command that mends."""
        return {}


class SplitProduct(Product):
    """A product that is cut by split, and each split into units, such as class folders or shards.

    Attributes:
        goes_through_images: whether each unit is made by going through the bytes of its images.
        unit: what one is called, in the plural.
        unit_by_unit: whether a unit is made from the unit of the same number of what it needs.
        sidecars: names of files beside the units, which say something of all of them.
        samples: what the audit calls what a unit consists of, in the plural.
        compared_with: the tables that its samples are compared with, beside that of the images.
        is_each_unit_whole: whether each unit has all samples of its split, for another reader than the others.
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
        """Those of which it has the archives in use."""
        dataset = dataset_of(config)
        return [name for name in self.splits(dataset) if dataset.splits[name].archive in config["use"]]

    def obstacle(self, config: Config, split: str) -> str | None:
        """Why it cannot be made of what lies in place of the archive: it is left out then, and a target refuses."""
        return None

    def requires(self, dataset: Dataset) -> list[list[str]]:
        """The archive of one of its splits."""
        return [[dataset.splits[name].archive for name in self.splits(dataset)]]

    def known_by(self, config: Config) -> list[Need]:
        """All splits in use, and the sidecars."""
        splits = self.splits_in_use(config)
        return [*((self.name, split) for split in splits), *([(self.description, ALL)] if self.sidecars else [])]

    def files(self, config: Config) -> list[str]:
        """The sidecars."""
        return [f"{self.path}{name}" for name in self.sidecars]

    def made(self, config: Config) -> str:
        """Likewise."""
        return "" if self.goes_through_images else super().made(config)

    def split_of_images(self, config: Config, split: str) -> str:
        """The split of the data set whose images are in a split of the product."""
        return split

    def count(self, config: Config, split: str) -> int:
        """How many units a split has, at the most."""
        raise NotImplementedError

    def jobs_key(self, config: Config, split: str) -> str:
        """The key in the section `jobs` that counts for a split."""
        return self.jobs[0]

    def job_bytes(self, config: Config, split: str) -> int:
        """The bytes of images that are worth a job, where the configuration does not say how large one is."""
        return batches.JOB_BYTES if self.goes_through_images else batches.JOB_BYTES_OF_TABLES

    def batch_size(self, config: Config, split: str, archives: Mapping[str, int] | None = None) -> int:
        """How many of them one job makes: as configured, or so many that it is worth its start, and lasts no hour.

        `archives` are the sizes in bytes of those that are there; of others, the published ones count.
        """
        count = self.count(config, split)
        if asked := config["jobs"][self.jobs_key(config, split)]:
            return int(asked)
        images = images_of(config, There(archives or {}), self.split_of_images(config, split)).nbytes
        return batches.size(count, images, self.job_bytes(config, split))

    def units(self, inputs: Inputs, split: str) -> list[str]:
        """The paths of the units below `output_dir`, in order."""
        raise NotImplementedError

    def make(self, inputs: Inputs, split: str, first: int, last: int) -> Body:
        """Make those from number `first` to `last`, or as many as there are; return what their receipt says of them.

        Args:
            inputs: of the job.
            split: that they are of.
            first: counted from 0, like `last`.
            last: included.

        Raises:
            PrepError: an archive, or something else that it is made from, is missing or damaged.
        """
        raise NotImplementedError

    def description_settings(self, config: Config) -> dict[str, Any]:
        """The settings that the sidecars depend on."""
        return {}

    def describe(self, inputs: Inputs) -> None:
        """Write the sidecars."""

    def space(self, config: Config, split: str, images: Images, block: int) -> Space:
        """What a split fills; `block` are the bytes of which a file fills whole multiples."""
        raise NotImplementedError

    def ledgers(self, config: Config, split: str) -> int:
        """How many files of the ledger a split has."""
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
        """Take away what was made of a split and is not named by these receipts; return how many units they name."""
        raise NotImplementedError

    def remove(self, config: Config, split: str) -> None:
        """Take away all that was made of a split."""
        raise NotImplementedError

    def is_made(self, config: Config) -> bool:
        """Whether a ledger says that something of it was made, so that its sidecars are ours."""
        return False

    # For the audit. What reads a unit shares no code with what makes it, or both would have the same faults.

    def audited_units(self, facts: Facts, split: str) -> list[Path]:
        """The files or folders that a split consists of, by what the tables say of it."""
        raise NotImplementedError

    def audited_files(self, facts: Facts, split: str) -> list[Path]:
        """These, and what else is made with each of them."""
        return self.audited_units(facts, split)

    def pattern(self, facts: Facts, split: str) -> str:
        """What matches all of them in a shell, and no other; "" where each sample is a file of its own."""
        return ""

    def reencoded(self, facts: Facts, split: str) -> frozenset[str]:
        """The names of images whose bytes are not the archive's in it."""
        return frozenset()

    def expected(self, facts: Facts, split: str) -> Expected:
        """The samples that a split should have."""
        from imagenet_prep.products.audit.expected import Expected

        return Expected(facts.images(self.split_of_images(facts.config, split)), facts.classes)

    def order(self, config: Config, expected: Expected) -> Numbers | None:
        """The numbers of these samples' images in the order of all samples; None where that is of file names."""
        return None

    def was_made(self, config: Config, path: Path) -> bool:
        """Whether something in its folder is a unit that another configuration made: a run takes that away."""
        return False

    def read(self, config: Config, split: str, unit: Path, reencoded: Collection[str]) -> Reading:
        """Read a unit, which is one of `audited_units`, once.

        Args:
            config: the whole configuration.
            split: that it is of.
            unit: its path.
            reencoded: names of images whose bytes are not the archive's, of which the header is asked for.

        Returns:
            Its samples, as rows with the columns of `audit.readings` that the format carries.
        """
        raise NotImplementedError

    def fits(self, unit: Path, samples: pa.Table) -> bool:
        """Of a product that is made unit by unit: whether one says the right thing of these samples."""
        raise NotImplementedError

    def names_of(self, facts: Facts, split: str, numbers: Numbers) -> list[str]:
        """What samples are called for people, by the numbers of their images in what is expected."""
        names = self.expected(facts, split).images.rows(numbers, ["filename"])["filename"].to_pylist()
        return [f"{self.name}: image {name}" for name in names]
