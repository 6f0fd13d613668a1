"""The package in an environment that has NumPy and pyarrow, and nothing else: where somebody trains."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from imagenet_prep import __version__

NEEDED = ("numpy", "pyarrow")


class Environment:
    """A virtual environment with NumPy and pyarrow, into which the package is installed from a copy of the checkout.

    Attributes:
        python: its interpreter.
        packages: its folder of packages.
    """

    def __init__(self, folder: Path, checkout: Path) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        self.python = folder / "venv" / "bin" / "python"
        (self.packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
        for name in NEEDED:
            self._share(name)
        source = folder / "checkout"
        shutil.copytree(checkout / "workflow", source / "workflow", ignore=shutil.ignore_patterns("*.egg-info"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(checkout / name, source)
        # The build back end is that of the tests' own environment, and no index is asked: what the package declares
        # beside NumPy and pyarrow would not be found.
        self._pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source))
        (wheel,) = folder.glob("*.whl")
        self._pip("--python", str(self.python), "install", "--no-index", str(wheel))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python there, with nothing of the environment that the tests run in."""
        command = [str(self.python), "-I", *arguments]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def _share(self, name: str) -> None:
        """Link a package of the tests' own environment, with all that was installed with it."""
        files = metadata.files(name)
        assert files is not None
        for top in {file.parts[0] for file in files} - {".."}:
            place = self.packages / top
            if not place.exists():
                place.symlink_to(Path(str(metadata.distribution(name).locate_file(top))))

    def _pip(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "pip", "--isolated", "--quiet", "--disable-pip-version-check", *arguments]
        run = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Environment:
    return Environment(tmp_path_factory.mktemp("package"), checkout)


def test_it_asks_for_numpy_and_pyarrow_alone(installed: Environment) -> None:
    (information,) = installed.packages.glob("imagenet_prep-*.dist-info")
    asked = map(Requirement, metadata.PathDistribution(information).requires or [])
    assert {it.name for it in asked if not it.marker or it.marker.evaluate({"extra": ""})} == {*NEEDED}


def test_nothing_but_them_is_there(installed: Environment) -> None:
    found = installed.run("-c", "from importlib import metadata as m; print(*{it.name for it in m.distributions()})")
    assert {*found.stdout.split()} == {*NEEDED, "imagenet-prep"}


def test_its_version_is_the_one_that_its_code_and_its_citation_and_the_newest_changes_say(
    installed: Environment, checkout: Path
) -> None:
    (information,) = installed.packages.glob("imagenet_prep-*.dist-info")
    cited = yaml.safe_load((checkout / "CITATION.cff").read_text(encoding="utf-8"))
    changes = re.findall(r"^## (\S+), (\S+)$", (checkout / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert metadata.PathDistribution(information).version == __version__
    assert (cited["version"], str(cited["date-released"])) == changes[0]
    assert cited["version"] == __version__


def test_its_files_of_data_are_installed(installed: Environment, checkout: Path) -> None:
    library = checkout / "workflow" / "imagenet_prep"
    files = {path.relative_to(library) for path in library.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {Path("py.typed"), Path("datasets/ilsvrc2012_classes.tsv"), Path("report/assets/index.html.jinja")} <= files
    assert [name for name in files if not (installed.packages / "imagenet_prep" / name).is_file()] == []


def test_the_classes_are_there(installed: Environment) -> None:
    program = "from imagenet_prep.datasets.ilsvrc2012_classes import classes; print(classes()[278].words)"
    assert installed.run("-c", program).stdout == "kit fox, Vulpes macrotis\n"


def test_a_class_is_looked_up(installed: Environment) -> None:
    run = installed.run("-m", "imagenet_prep.labels", "kit fox")
    assert run.returncode == 0, run.stderr
    assert "n02119789" in run.stdout


def test_the_look_up_says_how_it_is_used(installed: Environment) -> None:
    run = installed.run("-m", "imagenet_prep.labels", "--help")
    assert run.returncode == 0, run.stderr
    assert "kit fox" in run.stdout
