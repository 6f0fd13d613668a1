"""The space that a run needs, product by product, known before the first byte.

Imports are light, since the Snakefile looks here before a run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagenet_prep.dataset import official
from imagenet_prep.dataset.names import ARCHIVE_OF_SPLIT, BOXES_OF_SPLIT, TREE_OF_SPLIT
from imagenet_prep.room import USUAL_BLOCK

ARCHIVE = "archive"
IMAGEFOLDER = "imagefolder"
TFRECORD = "tfrecord"
TFRECORD_INDEX = "tfrecord_index"
TFRECORD_MULTILABEL = "tfrecord_multilabel"
REST = "tables, labels, logs"

Part = tuple[str, str]
"""What is made in one go: (ARCHIVE, its name), (IMAGEFOLDER, TFRECORD or TFRECORD_INDEX, a split), or
(TFRECORD_MULTILABEL or REST, "")."""

_MEMBER = 768  # bytes of a member of a tar archive besides its content: the header, and half a block of padding
_FEATURES = 400  # bytes of a record besides its image
_INDEX_LINE = 18
_FOLDER_ENTRY = 40  # bytes of a file's name in its folder
_ROW = 500  # bytes of an image in all tables, its boxes too
_DESCRIPTIONS = 6  # files beside the shards of the multi-label set
_OF_A_JOB = 3  # files: log, benchmark, receipt
_SINGLE_FILES = 100  # tables, labels, receipts of splits, folders
# Bytes of the synthetic archives: of an image and of a pixel of the largest square, of the tar of a class besides its
# members, and of each of the other archives for each image.
_SYNTHETIC_IMAGE = 1600
_SYNTHETIC_PIXEL = 0.06
_CLASS_TAR = 6000
_SYNTHETIC_OTHER = 100


@dataclass(frozen=True)
class There:
    """What lies there already, and need not be made.

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
class Need:
    """What a part still needs: bytes as they fill the disk, and files with their folders, in or below `path`."""

    part: Part
    path: Path
    nbytes: int
    files: int


def configured_parts(config: Mapping[str, Any]) -> set[Part]:
    """The parts that the configured products are made of, and the archives in use."""
    splits = [split for split, archive in ARCHIVE_OF_SPLIT.items() if archive in config["use"]]
    products = set(config["products"])
    parts = {(ARCHIVE, name) for name in config["use"]} | {(REST, "")}
    if "imagefolder" in products:
        parts |= {(IMAGEFOLDER, split) for split in splits}
    if products & {"tfrecords", "indexes"}:
        parts |= {(TFRECORD, split) for split in splits if split in BOXES_OF_SPLIT}
    if "indexes" in products:
        parts |= {(TFRECORD_INDEX, split) for split in splits if split in BOXES_OF_SPLIT}
    if "multilabel_tfrecords" in products:
        parts.add((TFRECORD_MULTILABEL, ""))
    return parts


def needs(config: Mapping[str, Any], there: There, parts: Collection[Part] | None = None) -> list[Need]:
    """What each part still needs, less what lies there; parts that need nothing are left out.

    The figures follow from the size and number of the archives' images: those of the archives that lie there, else the
    published ones, and for a choice of classes its share of them.

    Args:
        config: complete.
        there: what need not be made.
        parts: those to look at; None for `configured_parts`, less the verified archives of which all is made.
    """
    if parts is None:
        parts = configured_parts(config)
        if not needs(config, there, [part for part in parts if part[0] != ARCHIVE]):
            parts -= {(ARCHIVE, name) for name in there.verified}
    output = Path(config["output_dir"])
    needed = []
    for part in sorted(parts, key=_order):
        kind, name = part
        if kind == ARCHIVE:
            if name in there.archives:
                continue
            nbytes = max(0, _archive_bytes(config, there, name) - there.downloaded.get(name, 0))
            needed.append(Need(part, there.places.get(name, Path(config["archives_dir"])), nbytes, 1))
        elif kind == REST:
            if not there.rest:
                needed.append(Need(part, output, *_rest(config, there)))
        else:
            total = units(config, kind, name)
            share = max(0, total - there.made.get(part, 0)) / total
            nbytes, files = _PRODUCTS[kind](config, there, name)
            path = output / kind / (TREE_OF_SPLIT[name] if kind == IMAGEFOLDER else "")
            if share:
                needed.append(Need(part, path, round(nbytes * share), round(files * share)))
    return needed


def units(config: Mapping[str, Any], kind: str, split: str) -> int:
    """In how many pieces, at most, a part is made."""
    if kind == IMAGEFOLDER:
        return _folders(config, split) if split in BOXES_OF_SPLIT else 1
    if kind == TFRECORD_MULTILABEL:
        return int(config["tfrecord"]["validation_shards"]) + 1  # and one of ImageNet-M
    return int(config["tfrecord"][f"{split}_shards"])


def _order(part: Part) -> tuple[int, int]:
    kind, name = part
    kinds = [ARCHIVE, IMAGEFOLDER, TFRECORD, TFRECORD_INDEX, TFRECORD_MULTILABEL, REST]
    return kinds.index(kind), [*official.BYTES, *ARCHIVE_OF_SPLIT, ""].index(name)


def _archive_bytes(config: Mapping[str, Any], there: There, name: str) -> int:
    known: int | None = there.archives.get(name) or config["archives"][name]["bytes"]
    if known:
        return known
    if not config["synthetic"]:
        return official.BYTES[name]
    split = next((split for split, archive in ARCHIVE_OF_SPLIT.items() if archive == name), None)
    if split is None:
        return _SYNTHETIC_OTHER * sum(_synthetic_images(config["synthetic"]).values())
    settings = config["synthetic"]
    image: float = _MEMBER + _SYNTHETIC_IMAGE + _SYNTHETIC_PIXEL * settings["max_side"] ** 2
    images: int = _synthetic_images(settings)[split]
    return round(images * image) + _CLASS_TAR * _synthetic_classes(settings)[split]


def _synthetic_images(settings: Mapping[str, int]) -> dict[str, int]:
    return {
        "train": settings["classes"] * settings["train_images_per_class"],
        "validation": settings["classes"] * settings["val_images_per_class"],
        "test": settings["test_images"],
        "train_t3": settings["train_t3_classes"] * settings["train_t3_images_per_class"],
    }


def _synthetic_classes(settings: Mapping[str, int]) -> dict[str, int]:
    count = settings["classes"]
    return {"train": count, "validation": 0, "test": 0, "train_t3": settings["train_t3_classes"]}


def _images(config: Mapping[str, Any], there: There, split: str) -> tuple[int, int]:
    """Number and bytes of a split's images of the chosen classes."""
    archive = ARCHIVE_OF_SPLIT[split]
    nbytes = _archive_bytes(config, there, archive)
    if split in there.images:
        count = there.images[split]
    elif config["synthetic"]:
        count = _synthetic_images(config["synthetic"])[split]
    else:
        count = max(1, round(official.IMAGES[split] * nbytes / official.BYTES[archive]))
    share = 1.0
    if config["classes"] and split != "test":
        share = len(config["classes"]) / _all_classes(config, split)
        if not config["synthetic"]:  # an archive of fewer classes holds the chosen ones all the same
            share *= official.BYTES[archive] / nbytes
    share = min(1.0, share)
    return round(count * share), max(0, round((nbytes - count * _MEMBER) * share))


def _all_classes(config: Mapping[str, Any], split: str) -> int:
    if not config["synthetic"]:
        return official.CLASSES[split]
    return int(config["synthetic"]["train_t3_classes" if split == "train_t3" else "classes"])


def _folders(config: Mapping[str, Any], split: str) -> int:
    """The class folders of a split."""
    if split == "test":
        return 0
    chosen = len(config["classes"] or ())
    return min(_all_classes(config, split), chosen or official.CLASSES["train"])


def _tree(config: Mapping[str, Any], there: There, split: str) -> tuple[int, int]:
    count, nbytes = _images(config, there, split)
    folders = 1 + _folders(config, split)
    # Each file fills its last block only by half, on average.
    return nbytes + count * (there.block // 2 + _FOLDER_ENTRY) + folders * there.block, count + folders


def _shards(config: Mapping[str, Any], there: There, split: str) -> tuple[int, int]:
    count, nbytes = _images(config, there, split)
    shards = units(config, TFRECORD, split)
    return nbytes + count * _FEATURES + shards * there.block // 2, shards


def _indexes(config: Mapping[str, Any], there: There, split: str) -> tuple[int, int]:
    count, _ = _images(config, there, split)
    shards = units(config, TFRECORD_INDEX, split)
    return count * _INDEX_LINE + shards * there.block // 2, shards


def _multilabel(config: Mapping[str, Any], there: There, _: str) -> tuple[int, int]:
    count, nbytes = _images(config, there, "validation")
    annotated = official.ANNOTATED / official.IMAGES["validation"] if not config["synthetic"] else 1.0
    shards = units(config, TFRECORD_MULTILABEL, "")
    return round((nbytes + count * _FEATURES) * annotated) + shards * there.block // 2, shards + _DESCRIPTIONS


_PRODUCTS = {IMAGEFOLDER: _tree, TFRECORD: _shards, TFRECORD_INDEX: _indexes, TFRECORD_MULTILABEL: _multilabel}


def _rest(config: Mapping[str, Any], there: There) -> tuple[int, int]:
    splits = [split for split, archive in ARCHIVE_OF_SPLIT.items() if archive in config["use"]]
    images = sum(_images(config, there, split)[0] for split in splits)
    jobs, ledgers = 40, 0
    sizes = {IMAGEFOLDER: "imagefolder_classes", TFRECORD: "tfrecord_shards", TFRECORD_INDEX: "index_shards"}
    for kind, split in configured_parts(config):
        if kind in sizes:
            of_validation = (kind, split) == (IMAGEFOLDER, "validation")
            size = config["jobs"]["imagefolder_val_classes" if of_validation else sizes[kind]]
            jobs += -(-units(config, kind, split) // size)
            ledgers += _folders(config, split) if kind == IMAGEFOLDER else 0
    files = jobs * _OF_A_JOB + ledgers + _SINGLE_FILES
    return images * _ROW + files * there.block, files
