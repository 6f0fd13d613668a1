"""Writes the other files of this folder anew from pyproject.toml: ``make lock``.

Versions that still fit stay as they are; delete the ``lock*.txt`` first to get the newest ones.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ENVS = Path(__file__).resolve().parent
CHECKOUT = ENVS.parent

# The conda package "snakemake" brings many plugins along; this one does not.
CONDA_NAMES = {"snakemake": "snakemake-minimal"}
FROM_PIP = ("array-record", "crc32c", "ijson")  # the others are on conda-forge or bioconda

CONDA_HEADER = """\
# The environment for those who use conda, with the versions of lock.txt. Made by `make lock`.
#   conda env create --file envs/imagenet-prep.yaml
#   conda activate imagenet-prep
#   pip install --no-deps --editable .
name: imagenet-prep
channels:
  - conda-forge
  - bioconda
  - nodefaults
dependencies:
  - python>=3.11
"""


def compile_lock(name: str, *options: str) -> None:
    """Pin everything that the workflow needs, for all platforms and Python versions that it supports."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "pyproject.toml", "-"]
    command += ["--extra", "workflow", *options]
    command += ["--universal", "--python-version", "3.11", "--fork-strategy", "fewest", "--generate-hashes"]
    command += ["--no-annotate", "--custom-compile-command", "make lock", "--output-file", f"envs/{name}"]
    # The build back end is pinned too, so that installing the library itself downloads nothing.
    build_requirements = "\n".join(project["build-system"]["requires"])
    subprocess.run(command, cwd=CHECKOUT, input=build_requirements, text=True, check=True, stdout=subprocess.DEVNULL)


def write_conda_file() -> None:
    """Write the direct dependencies with the versions of the lock."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = (ENVS / "lock.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", lock, re.MULTILINE))
    asked = project["project"]["dependencies"] + project["project"]["optional-dependencies"]["workflow"]
    names = dict.fromkeys(re.split(r"[<>=!~;]", requirement)[0].lower() for requirement in asked)
    lines = [f"  - {CONDA_NAMES.get(name, name)}={pins[name]}\n" for name in names if name not in FROM_PIP]
    lines += ["  - pip\n", "  - pip:\n", *(f"      - {name}=={pins[name]}\n" for name in FROM_PIP)]
    (ENVS / "imagenet-prep.yaml").write_text(CONDA_HEADER + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    # The tests' first, since theirs hold for all: some of their packages go together with few versions of others.
    compile_lock("lock-test.txt", "--extra", "test", "--extra", "publish")
    compile_lock("lock.txt", "--constraint", "envs/lock-test.txt")
    compile_lock("lock-publish.txt", "--extra", "publish", "--constraint", "envs/lock-test.txt")
    compile_lock("lock-readers.txt", "--extra", "readers", "--constraint", "envs/lock.txt")
    compile_lock("lock-cluster.txt", "--extra", "cluster", "--constraint", "envs/lock.txt")
    write_conda_file()
