"""A file that names classes: by their WNIDs, alone or with words beside them, as people have such lists.

Imports are light, since the Snakefile reads the file at every start.
"""

from __future__ import annotations

import codecs
import re
import stat
from pathlib import Path

WNID = re.compile(r"n[0-9]{8}")

_IN_LINE = re.compile(r"(?<!\w)n[0-9]{8}(?!\w)")
_BETWEEN = re.compile(r"[\s,;\"'\[\]]*")
_HEADINGS = {"wnid", "wnids", "synset", "synsets", "synset_id", "class", "classes", "class_id", "id", "label", "labels"}
_LIMIT = 1 << 20  # bytes


def read_class_list(path: Path) -> list[tuple[str, int]]:
    r"""The WNIDs that a file names, each with the number of its line, from 1.

    A line holds a WNID, with words or other columns beside it (``n02119789 kit fox``, CSV, tab), or several of nothing
    but WNIDs. Comments begin with ``#``. A first line may hold headings. Line ends are those of any system; a byte
    order mark says whether the text is in UTF-8, which it is without one, or in UTF-16.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such list; the text says why.
    """
    status = path.stat()
    if stat.S_ISCHR(status.st_mode) or stat.S_ISFIFO(status.st_mode) or status.st_size > _LIMIT:
        raise ValueError(f"{path} is no file of WNIDs")
    named: list[tuple[str, int]] = []
    is_first = True
    for number, line in enumerate(_text(path).splitlines(), 1):
        words = line.partition("#")[0].strip()
        if not words:
            continue
        found = _IN_LINE.findall(words)
        if len(found) > 1 and not _BETWEEN.fullmatch(_IN_LINE.sub("", words)):
            raise ValueError(f'line {number} of {path} names several classes, and more: "{words[:60]}"')
        if not found and not (is_first and _is_heading(words)):
            raise ValueError(f'"{words[:60]}" in line {number} of {path} is no WNID')
        named += [(wnid, number) for wnid in found]
        is_first = False
    if not named:
        raise ValueError(f"the file {path} names no class")
    return named


def _text(path: Path) -> str:
    content = path.read_bytes()
    is_wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"the file {path} cannot be read: not a text file") from None


def _is_heading(line: str) -> bool:
    return not _HEADINGS.isdisjoint(re.split(r"[\s,;\"']+", line.lower()))
