"""What a page is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Subject:
    """What lies in an output folder, and where that is told which the page repeats.

    Attributes:
        config: the configuration, complete.
        splits: the splits in use.
        boxes: the tables of boxes, by split.
        archives: the names of the archives' files, by split.
        receipts: those of the archives in use.
        stages: the rules whose times are shown.
        sheets: the names of the sheets of sample images.
        readers: the file that tells how to read the products.
        readme: the file that has the terms.
    """

    config: Mapping[str, Any]
    splits: Sequence[str]
    boxes: Mapping[str, Path]
    archives: Mapping[str, str]
    receipts: Sequence[Path]
    stages: Sequence[str]
    sheets: Sequence[str]
    readers: Path
    readme: Path

    @property
    def output_dir(self) -> Path:
        """The folder that the page is about."""
        return Path(self.config["output_dir"])

    @property
    def version(self) -> str:
        """Of this software."""
        return version("imagenet-prep")


def version(package: str) -> str:
    """Of an installed package; "" where it is not installed, but found by its path."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
