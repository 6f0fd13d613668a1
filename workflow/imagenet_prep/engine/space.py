"""The space that a run needs, part by part, known before the first byte.

Imports are light, since the Snakefile looks here before a run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset, Layout
from imagenet_prep.engine.step import Batched, Need
from imagenet_prep.filesystem import USUAL_BLOCK

ARCHIVE = "archive"
REST = "tables, labels, logs"

Part = tuple[str, str]
"""What is made in one go: (ARCHIVE, its name), (a product, a split), or (REST, "")."""

# Bytes of an archive besides its images: of a member its header, and half a block of padding; of a tar, its end.
_MEMBER = 768
_TAR_END = 5632
_MARGIN = 1.01  # of what is made, so that it is never more than foretold
_ROW = 500  # bytes of an image in all tables, its boxes too
_OF_A_JOB = 3  # files: log, benchmark, receipt
_SINGLE_FILES = 100  # tables, labels, receipts of splits, folders


@dataclass(frozen=True)
class ImageTotals:
    """How many images of the classes in use a split has, and their bytes."""

    count: int
    nbytes: int


@dataclass(frozen=True)
class Space:
    """What something fills: bytes, in whole blocks of the file system, and files with their folders."""

    nbytes: int
    files: int


def of_even_files(nbytes: int, files: int, block: int) -> Space:
    """What so many bytes fill in files of the same size: each whole blocks."""
    return Space(files * -(-nbytes // (files * block)) * block, files)


class Product(Batched, Protocol):
    """What has to be known of a product that is cut by split."""

    sidecars: tuple[str, ...]

    def splits_in_use(self, config: Mapping[str, Any]) -> list[str]:
        """Its splits of which the archives are in use."""

    def split_of_images(self, config: Mapping[str, Any], split: str) -> str:
        """The split of the data set whose images are in one of its splits."""

    def needs(self, config: Mapping[str, Any], subject: str) -> list[Need]:
        """What it follows from."""

    def space(self, config: Mapping[str, Any], split: str, images: ImageTotals, block: int) -> Space:
        """What a split fills."""

    def ledgers(self, config: Mapping[str, Any], split: str) -> int:
        """How many files of the ledger it has."""

    def existing(self, config: Mapping[str, Any], split: str) -> int:
        """How many units of a split exist."""

    def place(self, dataset: Dataset, split: str) -> str:
        """The folder of a split's units, below `output_dir`."""


Products = Mapping[str, Product]


@dataclass(frozen=True)
class Existing:
    """What exists already, and need not be made.

    Attributes:
        archives: size in bytes of each archive that is there, whatever its name.
        places: the folder where each archive will be put; `archives_dir` for those without one.
        downloaded: bytes of archives of which a download was begun.
        verified: archives that were verified, even if they have been taken away since.
        images: number of images of splits whose archive was verified.
        made: number of class folders or shards by part.
        rest: whether tables and the like are there.
        block: bytes of which a file fills whole multiples.
    """

    archives: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, Path] = field(default_factory=dict)
    downloaded: Mapping[str, int] = field(default_factory=dict)
    verified: Collection[str] = ()
    images: Mapping[str, int] = field(default_factory=dict)
    made: Mapping[Part, int] = field(default_factory=dict)
    rest: bool = False
    block: int = USUAL_BLOCK


@dataclass(frozen=True)
class SpaceNeed:
    """What a part still needs: bytes as they fill the disk, and files with their folders, in or below `path`."""

    part: Part
    path: Path
    nbytes: int
    files: int


def configured_parts(config: Mapping[str, Any], products: Products) -> list[Part]:
    """The parts that the configured products are made of, and the archives in use, in order.

    Args:
        config: complete.
        products: all that are cut by split.
    """
    wanted = {name for name in products if name in config["products"]}
    parts = []
    for name, product in products.items():
        parts += [(name, split) for split in product.splits_in_use(config)]
    needed = {(name, split) for name, split in parts if name in wanted}
    needed |= {need for name, split in needed for need in products[name].needs(config, split)}
    archives = [name for name in dataset_of(config).archives if name in config["use"]]
    return [*((ARCHIVE, name) for name in archives), *(part for part in parts if part in needed), (REST, "")]


def needs(
    config: Mapping[str, Any], products: Products, there: Existing, parts: Collection[Part] | None = None
) -> list[SpaceNeed]:
    """What each part still needs, less what exists; parts that need nothing are left out.

    The figures follow from the size and number of the archives' images: those of the archives that exist, else the
    published ones, and for a choice of classes its share of them.

    Args:
        config: complete.
        products: all that are cut by split.
        there: what need not be made.
        parts: those to look at; None for `configured_parts`, less the verified archives of which all is made.
    """
    if parts is None:
        parts = configured_parts(config, products)
        if not needs(config, products, there, [part for part in parts if part[0] != ARCHIVE]):
            parts = [part for part in parts if part[0] != ARCHIVE or part[1] not in there.verified]
    output = Path(config["output_dir"])
    needed = []
    for part in sorted(parts, key=lambda part: _order(config, products, part)):
        kind, name = part
        if kind == ARCHIVE:
            if name in there.archives:
                continue
            nbytes = max(0, _archive_bytes(config, there, name) - there.downloaded.get(name, 0))
            needed.append(SpaceNeed(part, there.places.get(name, Path(config["archives_dir"])), nbytes, 1))
        elif kind == REST:
            if not there.rest:
                rest = _rest(config, products, there)
                needed.append(SpaceNeed(part, output, rest.nbytes, rest.files))
        else:
            product = products[kind]
            if product.obstacle(config, name):
                continue
            total = product.count(config, name)
            share = max(0, total - there.made.get(part, 0)) / total
            if share:
                of = image_totals(config, there, product.split_of_images(config, name))
                space = product.space(config, name, of, there.block)
                path = output / product.place(dataset_of(config), name)
                nbytes = round(space.nbytes * share * _MARGIN)
                needed.append(SpaceNeed(part, path, nbytes, round(space.files * share)))
    return needed


def _order(config: Mapping[str, Any], products: Products, part: Part) -> tuple[int, int]:
    kind, name = part
    dataset = dataset_of(config)
    names = [*dataset.archives] if kind == ARCHIVE else products[kind].splits_in_use(config) if kind in products else []
    return [ARCHIVE, *products, REST].index(kind), [*names, name].index(name)


def _archive_bytes(config: Mapping[str, Any], there: Existing, name: str) -> int:
    known: int | None = there.archives.get(name) or config["archives"][name]["bytes"]
    return known or dataset_of(config).archives[name].size


def image_totals(config: Mapping[str, Any], there: Existing, split: str) -> ImageTotals:
    """Number and bytes of a split's images of the classes in use."""
    dataset = dataset_of(config)
    of, published = dataset.splits[split], dataset.archives[dataset.splits[split].archive].size
    nbytes = _archive_bytes(config, there, of.archive)
    if split in there.images:
        count = there.images[split]
    else:
        count = max(1, round(of.images * (1 if dataset.is_made_up else nbytes / published)))
    share = 1.0
    if config["classes"] and of.classes:
        share = len(config["classes"]) / of.classes
        if not dataset.is_made_up:  # an archive of fewer classes holds the chosen ones all the same
            share *= published / nbytes
    share = min(1.0, share)
    tars = 1 + (of.classes if dataset.archives[of.archive].layout is Layout.CLASS_TARS else 0)
    return ImageTotals(round(count * share), max(0, round((nbytes - count * _MEMBER - tars * _TAR_END) * share)))


def _rest(config: Mapping[str, Any], products: Products, there: Existing) -> Space:
    images = sum(image_totals(config, there, split.name).count for split in dataset_of(config).splits_in_use(config))
    jobs, files = 40, _SINGLE_FILES
    for kind, split in configured_parts(config, products):
        if kind in products:
            product = products[kind]
            jobs += -(-product.count(config, split) // product.batch_size(config, split, there.archives))
            files += product.ledgers(config, split) + len(product.sidecars)
    files += jobs * _OF_A_JOB
    return Space(images * _ROW + files * there.block, files)
