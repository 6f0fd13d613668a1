"""A folder in which the workflow of this checkout runs on archives made to measure with."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import measure
import yaml
from make_archives import FILES, Shape, make_archives

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
_PARTS = ("Snakefile", "workflow", "config", "profiles", "envs", "README.md", "docs")

# What guides on the web tell to do with the train archive, in the working directory.
NESTED_TAR = [
    "sh",
    "-ec",
    'tar xf "$1"; for class in *.tar; do mkdir "${class%.tar}"; tar xf "$class" -C "${class%.tar}"; rm "$class"; done',
    "unpack",
]


class Project:
    """The folder: its archives, a configuration for them, and its results.

    Args:
        folder: made if it is not there; archives of an earlier run are used again if they are of the same shape.
        shape: what the archives hold.
        configuration: laid over what fits every benchmark, key by key at the top level.
    """

    def __init__(self, folder: Path, shape: Shape, configuration: dict[str, Any]) -> None:
        self.folder = folder
        self.archives = folder / "archives"
        self.results = folder / "results"
        folder.mkdir(parents=True, exist_ok=True)
        for name in _PARTS:
            link = folder / name
            if not link.is_symlink():
                link.symlink_to(CHECKOUT / name)
        unknown = {"url": None, "md5": None, "sha256": None, "bytes": None}
        settings = {
            "archives": dict.fromkeys(FILES, unknown),
            "archives_dir": "archives",
            "output_dir": "results",
            "classes": sorted(shape.counts),
            **configuration,
        }
        (folder / "benchmark.yaml").write_text(yaml.safe_dump(settings))
        self._make_archives(shape)

    def archive(self, name: str) -> Path:
        """The path of an archive."""
        return self.archives / FILES[name]

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        """What a user would type."""
        overlay = ["--configfile", "config/config.yaml", "benchmark.yaml"]
        return [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments, *overlay]

    def run(self, *arguments: str, cores: int = 2) -> measure.Cost:
        """Run the workflow and measure it."""
        return measure.run(self.command(*arguments, cores=cores), self.folder)

    def forget(self) -> None:
        """Take away all that was made of the archives."""
        remove(self.results)
        remove(self.folder / ".snakemake")

    def _make_archives(self, shape: Shape) -> None:
        """Make the archives unless those of this shape are there."""
        note, wanted = self.folder / "shape.txt", repr(shape)
        if not note.is_file() or note.read_text() != wanted:
            remove(self.archives)
            note.unlink(missing_ok=True)
            make_archives(self.archives, shape)
            note.write_text(wanted)


def remove(folder: Path) -> None:
    """Take a folder away, if it is there."""
    shutil.rmtree(folder, ignore_errors=True)
