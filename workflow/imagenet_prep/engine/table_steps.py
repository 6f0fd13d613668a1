"""The steps between the archives and the products: tables of the devkit, of the images and of the boxes."""

from __future__ import annotations

from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine.step import ALL, Config, Need, Step, classes_of

SCAN_VERSION = 2
"""Of what is noted of an archive when it is read; raised, all archives are read again."""


class Devkit(Step):
    """The synsets and the validation labels that the devkit holds."""

    name = "devkit"
    rule = "parse_devkit"
    is_between = True

    def reads(self, config: Config, subject: str) -> list[str]:
        """The archive of the devkit."""
        return [dataset_of(config).devkit]


class Images(Step):
    """The images of a split, each with its class and its place in the archive."""

    name = "images"
    rule = "label_images"
    layout = 2
    is_between = True
    is_timed = True

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Which classes, and how many."""
        count = len(config["classes"]) if config["classes"] else dataset_of(config).classes
        return {"classes": classes_of(config), "class_count": min(count, dataset_of(config).classes)}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The devkit."""
        return [(DEVKIT.name, ALL)]

    def reads(self, config: Config, subject: str) -> list[str]:
        """The archive of the split."""
        return [dataset_of(config).splits[subject].archive]

    def form(self, config: Config, subject: str) -> object:
        """The name of the archive's file, which stands in the table, and in nothing that is made from it."""
        return str(config["archives"][dataset_of(config).splits[subject].archive]["file"])


class Boxes(Step):
    """The bounding boxes of a split."""

    name = "boxes"
    rule = "parse_boxes"
    is_between = True
    is_timed = True

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The devkit."""
        return [(DEVKIT.name, ALL)]

    def reads(self, config: Config, subject: str) -> list[str]:
        """The archive of the split's boxes."""
        archive = dataset_of(config).splits[subject].boxes
        return [archive] if archive else []


DEVKIT, IMAGES, BOXES = Devkit(), Images(), Boxes()


def boxes_in_use(config: Config, *splits: str) -> list[Need]:
    """The boxes of all splits that have some, or of those among these."""
    dataset = dataset_of(config)
    return [(BOXES.name, split.name) for split in dataset.boxes_in_use(config) if not splits or split.name in splits]


def expected(config: Config, archive: str) -> dict[str, Any]:
    """What the configuration expects of an archive, as arguments of `archive_check.Expected`."""
    settings = config["archives"][archive]
    algorithm = "sha256" if settings["sha256"] else "md5"
    unpacked = {"unpacked_sha256": settings["unpacked_sha256"]} if settings["unpacked_sha256"] else {}
    return {"algorithm": algorithm, "checksum": settings[algorithm], "nbytes": settings["bytes"], **unpacked}
