"""The Python that jobs run with: how it is called, and where it finds modules.

Imports are light, since the Snakefile calls this at every start.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shlex
import site
import subprocess
import sys
from importlib.machinery import PathFinder

PYTHON = sys.executable

# What the jobs import that is neither Python's nor ours.
MODULES = (
    *("numpy", "pyarrow", "pandas", "scipy", "PIL", "crc32c", "ijson", "jsonschema", "jinja2", "markdown_it"),
    *("yaml", "requests", "urllib3"),
)

_TRY = f"""
import importlib, importlib.util, os
for name in {MODULES}:
    try:
        importlib.import_module(name)
    except Exception as error:
        spec = importlib.util.find_spec(name)
        places = list(spec.submodule_search_locations or [spec.origin]) if spec else []
        lines = str(error).strip().splitlines() or [""]
        print(name, places[0] if places else "", type(error).__name__ + ": " + lines[0], sep="\\t")
        break
"""


def quote() -> None:
    """Have Snakemake, which puts `sys.executable` into the commands of jobs as it stands, put it there quoted."""
    sys.executable = shlex.quote(PYTHON)


def use_own_modules(library: str) -> None:
    """Have jobs find modules in their environment alone, where that has all they need.

    What PYTHONPATH names, and what was installed for this user alone (`pip install --user`), comes first. It can
    be too old, or made for another one. Where modules are found there only, as on some clusters, all stays as it is.

    Args:
        library: the folder in PYTHONPATH that jobs need in any case.
    """
    named = [it for it in os.environ.get("PYTHONPATH", "").split(os.pathsep) if it]
    foreign = {os.path.abspath(it) for it in named} - {os.path.abspath(library)}
    if site.ENABLE_USER_SITE:
        foreign.add(os.path.abspath(site.getusersitepackages()))
    own = [it for it in sys.path if os.path.abspath(it) not in foreign]
    if len(own) == len(sys.path) or not all(PathFinder.find_spec(name, own) for name in ("snakemake", *MODULES)):
        return
    os.environ.update(PYTHONPATH=library, PYTHONNOUSERSITE="1")
    sys.path[:] = own


@functools.cache
def failing_import() -> str | None:
    """Which of the modules that jobs need cannot be imported, why, and where it lies; None where all can be."""
    try:
        done = subprocess.run([PYTHON, "-c", _TRY], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return None
    name, place, why = [*done.stdout.strip().split("\t"), "", ""][:3]
    if not name:
        return None
    return f"{name}, of {place}, cannot be imported ({why})" if place else f"{name} cannot be imported ({why})"


def hide_pandas() -> None:
    """Have Snakemake find no pandas, which it would import with the first job to ask whether a parameter is a table.

    No job begins in that time: a quarter of a second of every run. Jobs are processes of their own and find it.
    """
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]  # Python's way to say that there is none


def problem() -> str | None:
    """Why Snakemake itself could not work with the modules that it finds; None where nothing is known against them."""
    for name in ("numpy", "pandas"):  # Snakemake imports what it finds of them; jobs may have environments of their own
        if importlib.util.find_spec(name) is not None:
            try:
                importlib.import_module(name)
            except Exception:
                return failing_import()
    return None
