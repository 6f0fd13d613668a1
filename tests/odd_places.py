"""Odd places to run in: an environment below any path, a disk without links, a user without a name."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
import venv
from pathlib import Path

import numpy

# What shells, Makefiles, Snakemake, Python and SQL might take for theirs.
ODD = 'My Projects (1) & it\'s $x "y" \\ `z` ;<>|*?[a]!~#%,=é'

_SYMLINKS = {"x86_64": (88, 266), "aarch64": (36,)}  # symlink(2) and symlinkat(2)
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER_MODE = 38, 22, 2
_LOAD_NUMBER, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERROR, _EPERM = 0x7FFF0000, 0x00050000, 1

WITHOUT_LINKS = (sys.executable, __file__)
"""What to put in front of a command that is to have no symbolic links: as on FAT, making one fails with EPERM."""


def make_environment(folder: Path) -> Path:
    """Make a virtual environment that has all that the tests' own has; return its Python."""
    venv.create(folder, symlinks=True, with_pip=False)
    site = next(folder.glob("lib/python3*/site-packages"))
    ours = Path(numpy.__file__).parents[1]
    (site / "ours.pth").write_text(f"import site; site.addsitedir({str(ours)!r})\n")
    return folder / "bin" / "python"


def forbid_links() -> None:
    """Have the kernel refuse to make symbolic links, for this process and all that it starts (seccomp(2)).

    Raises:
        OSError: that is not possible here.
    """
    numbers = _SYMLINKS.get(platform.machine())
    if sys.platform != "linux" or not numbers:
        raise OSError("no such filter for this machine")
    tests = [(_IF_EQUAL, len(numbers) - i, 0, number) for i, number in enumerate(numbers)]
    code = [(_LOAD_NUMBER, 0, 0, 0), *tests, (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERROR | _EPERM)]
    program = b"".join(struct.pack("HBBI", *line) for line in code)
    buffer = ctypes.create_string_buffer(program)
    described = struct.pack("HP", len(code), ctypes.addressof(buffer))
    system = ctypes.CDLL(None, use_errno=True)
    if system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or system.prctl(_SET_SECCOMP, _FILTER_MODE, described, 0, 0):
        raise OSError(ctypes.get_errno(), "no filters of system calls")


if __name__ == "__main__":
    forbid_links()
    os.execvp(sys.argv[1], sys.argv[1:])
