"""The sources, where no tool of `make lint` looks: imports that run one way, and nothing of a machine in them."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
LIBRARY = CHECKOUT / "workflow" / "imagenet_prep"

# Which package must not import which: formats know nothing of ImageNet, and nothing imports what stands above it.
FORBIDDEN = {
    "formats": {"console", "datasets", "download", "engine", "products", "publish", "report", "synthetic"},
    "download": {"console", "datasets", "engine", "products", "publish", "report", "synthetic"},
    "datasets": {"console", "download", "engine", "products", "publish", "report", "synthetic"},
    "engine": {"console", "products", "publish", "report", "synthetic"},
    "products": {"console", "download", "publish", "report", "synthetic"},
    "publish": {"console", "datasets", "download", "engine", "formats", "products", "report", "synthetic"},
    "report": {"console", "download", "publish", "synthetic"},
    "console": {"datasets", "download", "engine", "publish", "report", "synthetic"},
    "synthetic": {"console", "download", "engine", "products", "publish", "report"},
}

# Modules that are longer than 300 lines, each with its reason.
LONG: dict[str, str] = {}


def imports(module: Path) -> Iterator[str]:
    """The dotted names of all modules that a module of the library imports, those inside of functions too."""
    package = ["imagenet_prep", *module.relative_to(LIBRARY).parent.parts]
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def test_the_script_of_a_pbs_job_is_clean_as_snakemake_fills_it_in() -> None:
    template = (CHECKOUT / "profiles" / "pbs" / "jobscript.sh").read_text()
    script = template.format(properties="{}", exec_job="python -m snakemake")
    command = [str(Path(sys.executable).parent / "shellcheck"), "-"]
    run = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_the_library_never_imports_snakemake() -> None:
    guilty = [m.name for m in LIBRARY.rglob("*.py") if any(name.split(".")[0] == "snakemake" for name in imports(m))]
    assert guilty == []


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_run_one_way(package: str) -> None:
    forbidden = tuple(f"imagenet_prep.{name}." for name in FORBIDDEN[package])
    guilty = [
        f"{module.name} imports {name}"
        for module in (LIBRARY / package).rglob("*.py")
        for name in imports(module)
        if f"{name}.".startswith(forbidden)
    ]
    assert guilty == []


def test_a_module_of_more_than_300_lines_has_a_reason() -> None:
    lines = {
        str(m.relative_to(LIBRARY)): len(m.read_text(encoding="utf-8").splitlines()) for m in LIBRARY.rglob("*.py")
    }
    assert {name for name, count in lines.items() if count > 300} == LONG.keys()


def test_no_path_of_a_machine_is_in_the_sources() -> None:
    suffixes = {"", ".py", ".smk", ".yaml", ".toml", ".txt", ".md", ".sh", ".json", ".csv"}
    roots = ["Snakefile", "Makefile", "pyproject.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
    files = [CHECKOUT / name for name in roots]
    for top in (".ci", "benchmarks", "config", "docs", "envs", "profiles", "tests", "workflow"):
        for folder, folders, names in os.walk(CHECKOUT / top):
            folders[:] = [name for name in folders if name not in (".venv", "work")]  # millions of files made there
            files += [Path(folder, name) for name in names if Path(name).suffix in suffixes]
    machine = re.compile(r"""(?<![\w.>:/])/(home|root|work|Users|private)/\w""")
    found = [
        f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if machine.search(line)
    ]
    assert found == []
