"""The environment: three files that agree, and a Makefile that keeps to them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = ("lock.txt", "lock-test.txt", "lock-publish.txt", "lock-readers.txt", "lock-cluster.txt")


@pytest.fixture(scope="session")
def project(checkout: Path) -> dict:
    """The contents of pyproject.toml."""
    return tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def asked(project: dict) -> list[str]:
    """The requirements of the workflow: those of the package, and those of the extra."""
    return [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["workflow"]]


def pins(lock: Path) -> dict[str, str]:
    """Name to version of everything that a lock file pins."""
    lines = re.findall(r"^(\S+==[^ ;\\]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(line.split("==") for line in lines)


# The files of envs/


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("lock.txt", []),
        ("lock-publish.txt", ["publish"]),
        ("lock-test.txt", ["test", "publish"]),
        ("lock-readers.txt", ["readers"]),
        ("lock-cluster.txt", ["cluster"]),
    ],
)
def test_the_lock_pins_what_the_project_asks_for(
    checkout: Path, project: dict, asked: list[str], lock: str, extras: list[str]
) -> None:
    of_extras = [line for extra in extras for line in project["project"]["optional-dependencies"][extra]]
    pinned = pins(checkout / "envs" / lock)
    requirements = [Requirement(line) for line in [*asked, *project["build-system"]["requires"], *of_extras]]
    unmet = [str(r) for r in requirements if not r.specifier.contains(pinned.get(canonicalize_name(r.name), "0"))]
    assert unmet == []


@pytest.mark.parametrize("lock", ["lock.txt", "lock-publish.txt"])
def test_tests_run_with_the_versions_of_the_workflow(checkout: Path, lock: str) -> None:
    runtime, test = (pins(checkout / "envs" / name) for name in (lock, "lock-test.txt"))
    assert runtime.items() <= test.items()


@pytest.mark.parametrize("lock", ["lock-readers.txt", "lock-cluster.txt"])
def test_environments_of_their_own_have_the_versions_of_the_workflow(checkout: Path, lock: str) -> None:
    runtime, own = (pins(checkout / "envs" / name) for name in ("lock.txt", lock))
    assert runtime.items() <= own.items()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_its_hashes_and_no_address(checkout: Path, lock: str) -> None:
    text = (checkout / "envs" / lock).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", text)
    assert [block for block in blocks if "==" in block and "--hash=sha256:" not in block] == []
    assert "://" not in text


def test_the_conda_file_has_the_versions_of_the_lock(checkout: Path, project: dict, asked: list[str]) -> None:
    conda = yaml.safe_load((checkout / "envs" / "imagenet-prep.yaml").read_text(encoding="utf-8"))
    from_pip = next(entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict))
    from_conda = [entry for entry in conda["dependencies"] if isinstance(entry, str)]
    assert f"python{project['project']['requires-python']}" in from_conda

    versions = dict(re.split("==?", entry) for entry in [*from_conda, *from_pip] if re.search(r"[^>]=", entry))
    versions["snakemake"] = versions.pop("snakemake-minimal")
    pinned = pins(checkout / "envs" / "lock.txt")
    direct = [canonicalize_name(Requirement(line).name) for line in asked]
    assert versions == {name: pinned[name] for name in direct}


def test_the_workflow_starts_with_the_oldest_snakemake_and_none_older(checkout: Path, asked: list[str]) -> None:
    snakefile = (checkout / "Snakefile").read_text(encoding="utf-8")
    oldest = re.search(r'^min_version\("(.*)"\)$', snakefile, re.MULTILINE)[1]
    assert f"snakemake>={oldest}" in asked


# The Makefile

STAND_IN = """#!/bin/sh
# Stands in for Python: writes down what it is asked, and "makes" virtual environments that hold itself.
echo "$*" >>"{log}"
case "$*" in
    *"{refused}"*) echo "ERROR: it is refused" >&2; exit 1 ;;
    "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && touch "$3/bin/pip" ;;
    *" install --requirement "*) for n in 1 2 3 4 5 6 7 8 9 10 11; do echo "Collecting package-$n"; done ;;
esac
"""


class Machine:
    """A folder with the Makefile and the locks, and a Python that only writes down what it is asked."""

    def __init__(self, folder: Path, checkout: Path, aside: Path | None = None) -> None:
        self.folder = folder
        self.aside = aside or folder
        self.log = self.aside / "log"
        self.log.touch()
        (folder / "envs").mkdir()
        for name in ("Makefile", "pyproject.toml", *(f"envs/{lock}" for lock in LOCKS)):
            shutil.copy(checkout / name, folder / name)

    def make(self, target: str, refused: str = "never") -> subprocess.CompletedProcess[str]:
        python = self.aside / "python"
        python.write_text(STAND_IN.format(log=self.log, refused=refused), encoding="utf-8")
        python.chmod(0o755)
        command = ["make", "-C", str(self.folder), target, f"PYTHON={python}"]
        environment = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    def installations(self) -> int:
        return self.log.read_text(encoding="utf-8").count("install --requirement envs/lock.txt")


@pytest.fixture
def machine(tmp_path: Path, checkout: Path) -> Machine:
    return Machine(tmp_path, checkout)


def test_the_environment_is_made_once_and_again_when_the_lock_changes(machine: Machine) -> None:
    assert machine.make("env").returncode == 0
    assert machine.make("env").returncode == 0
    assert machine.installations() == 1

    newer = (machine.folder / ".venv" / "installed").stat().st_mtime + 1
    os.utime(machine.folder / "envs" / "lock.txt", (newer, newer))
    assert machine.make("env").returncode == 0
    assert machine.installations() == 2


def test_the_floor_is_tried_with_the_oldest_snakemake(machine: Machine, asked: list[str]) -> None:
    machine.make("test-floor")
    oldest = next(line for line in asked if line.startswith("snakemake>="))
    assert f"install {oldest.replace('>=', '==')}\n" in machine.log.read_text(encoding="utf-8")


def test_a_failed_installation_is_tried_again(machine: Machine) -> None:
    (machine.folder / ".venv" / "bin").mkdir(parents=True)
    assert machine.make("env", refused="version_info").returncode != 0
    assert machine.make("env").returncode == 0
    assert machine.installations() == 1


def test_an_installation_says_how_far_it_is(machine: Machine) -> None:
    assert "  10 packages found, package-10 last\n" in machine.make("env").stdout


def test_a_failed_installation_says_why_and_leaves_no_environment_that_looks_finished(machine: Machine) -> None:
    made = machine.make("env", refused="envs/lock.txt")
    assert made.returncode != 0
    assert "ERROR: it is refused" in made.stderr
    assert not (machine.folder / ".venv" / "installed").exists()


@pytest.mark.parametrize("name", ['a "b"', "a $x", "a`b`", "a\\b c", "{x}", "a:b"])
def test_a_path_that_programs_do_not_start_from_is_refused_at_once(tmp_path: Path, checkout: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    machine = Machine(tmp_path / name, checkout, aside=tmp_path)
    made = machine.make("env")
    assert made.returncode != 0
    assert f"No environment can be made here: {tmp_path / name}\n" in made.stderr
    assert "move this clone" in made.stderr
    assert machine.installations() == 0


@pytest.mark.parametrize("name", ["My Projects (1)", "it's & [a] ; ~ # % = é"])
def test_other_paths_will_do(tmp_path: Path, checkout: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    machine = Machine(tmp_path / name, checkout, aside=tmp_path)
    assert machine.make("env").returncode == 0
    assert machine.installations() == 1


def test_a_disk_where_no_environment_can_be_made_is_told(machine: Machine) -> None:
    made = machine.make("env", refused="-m venv")
    assert made.returncode != 0
    assert "no symbolic links" in made.stderr


# Builds this project, and a package that it needs, without an index.
BACKEND = """
import zipfile

def wheel(path, name, files):
    info = f"{name}-1.0.dist-info"
    files = {**files, f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n",
             f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    record = "".join(f"{it},,\\n" for it in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for it, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(it, text)

def build_editable(folder, config_settings=None, metadata_directory=None):
    wheel(f"{folder}/ours-1.0-py3-none-any.whl", "ours", {"ours.py": ""})
    return "ours-1.0-py3-none-any.whl"

if __name__ == "__main__":
    wheel("needed-1.0-py3-none-any.whl", "needed", {"needed.py": ""})
"""
PYPROJECT = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "ours"
version = "1.0"
"""


def test_packages_go_into_the_environment_whatever_the_shell_says_of_others(tmp_path: Path, checkout: Path) -> None:
    folder, elsewhere = tmp_path / "My Projects (1)", tmp_path / "elsewhere"
    (folder / "envs").mkdir(parents=True)
    elsewhere.mkdir()
    shutil.copy(checkout / "Makefile", folder)
    for name, text in {"backend.py": BACKEND, "pyproject.toml": PYPROJECT}.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "envs" / "lock.txt").write_text("./needed-1.0-py3-none-any.whl\n", encoding="utf-8")
    subprocess.run([sys.executable, "backend.py"], cwd=folder, check=True)
    (elsewhere / "needed.py").write_text("", encoding="utf-8")
    strange = {"PIP_USER": "1", "PIP_TARGET": str(elsewhere), "PYTHONPATH": str(elsewhere), "PIP_NO_INDEX": "1"}
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "PIP_"))} | strange
    command = ["make", "-C", str(folder), "env", f"PYTHON={sys.executable}"]
    made = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert made.returncode == 0, made.stderr
    site = next((folder / ".venv").glob("lib/python3*/site-packages"))
    assert {"needed.py", "ours.py"} <= {path.name for path in site.iterdir()}
    assert [path.name for path in elsewhere.iterdir()] == ["needed.py"]


def test_an_old_python_is_told_which_one_is_needed(machine: Machine) -> None:
    made = machine.make("env", refused="version_info")
    assert made.returncode != 0
    assert "needs Python 3.11 or newer" in made.stderr
    assert "make env PYTHON=" in made.stderr


def test_a_python_without_venv_is_told_the_package_to_install(machine: Machine) -> None:
    made = machine.make("env", refused="ensurepip")
    assert made.returncode != 0
    assert "apt install python3-venv" in made.stderr


def test_help_is_the_default_and_names_every_target(machine: Machine) -> None:
    makefile = (machine.folder / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: help (.*)$", makefile, re.MULTILINE)[1].split()
    shown = machine.make("help").stdout
    assert [target for target in targets if f"make {target} " not in shown] == []
    assert re.search(r"^\.DEFAULT_GOAL := help$", makefile, re.MULTILINE)
