"""The paths of a configuration: expands what is written short in them, and finds those that cannot be used.

Imports are light, since the Snakefile calls this at every start.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from imagenet_prep.errors import PrepError
from imagenet_prep.publish.address import FOLDER, Address

Problem = tuple[str, str, str]  # dotted key, what is wrong, what to do

_KEYS = ("output_dir", "archives_dir", "predictions_dir")
_VARIABLE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")
_LONGEST = 150  # bytes below output_dir of the longest path that the workflow makes, and some to spare


def expand(config: dict[str, Any]) -> Iterator[Problem]:
    """Expand ``~``, ``$VAR`` and ``${VAR}`` in all paths of a configuration; ``$$`` is a dollar.

    ``config`` has not been checked yet: values of wrong types stay as they are.
    """
    for key in _KEYS:
        yield from _expand_in(config, key, key)
    classes = config.get("classes")
    if isinstance(classes, str):
        yield from _expand_in(config, "classes", "classes")
    if isinstance(config.get("publish"), dict):
        yield from _expand_in(config["publish"], "url", "publish.url")
    archives = config.get("archives")
    for name, archive in archives.items() if isinstance(archives, dict) else ():
        if isinstance(archive, dict):
            yield from _expand_in(archive, "url", f"archives.{name}.url")


def _expand_in(values: dict[str, Any], key: str, place: str) -> Iterator[Problem]:
    value = values.get(key)
    many = isinstance(value, list)
    expanded = []
    for text in value if isinstance(value, list) else [value]:
        # What stands in the address of a server is for the server.
        if isinstance(text, str) and not re.match(r"https?:", text):
            try:
                text = _expanded(text)
            except ValueError as error:
                yield place, *error.args
        expanded.append(text)
    if key in values:
        values[key] = expanded if many else expanded[0]


def _expanded(text: str) -> str:
    """Raises ValueError with what is wrong and what to do."""
    is_url = text.startswith("file://")

    def value(found: re.Match[str]) -> str:
        name = found[2] or found[3]
        if name and name not in os.environ:
            problem = f"{text} names the variable {name}, which is not set"
            raise ValueError(problem, f"Set it (export {name}=...), or write the path itself, and a dollar in it as $$")
        put = os.environ[name] if name else "$"
        return quote(put) if is_url else put

    head, path = ("file://", text[7:]) if is_url else ("", text)
    path = _VARIABLE.sub(value, path)
    if path.startswith("~"):
        home = os.path.expanduser(path)
        if home == path:
            raise ValueError(f"{text}: there is no such home folder", "Write the path itself, or ./~ for that name")
        path = quote(home) if is_url else home
    return head + path


def name_problems(key: str, text: str, base: Path) -> Iterator[Problem]:
    """Why nothing can be made in a folder of this name below `base`: what Snakemake or the system cannot take."""
    if found := re.search(r"[{}]", text):
        problem = f"{text} holds {found[0]}, which Snakemake takes for the name of a wildcard"
        yield key, problem, "Choose a path without { and }"
    elif found := re.search(r"<[a-z][a-z0-9_]*>", text):
        problem = f"{text} holds {found[0]}, which Snakemake takes for the name of a variable"
        yield key, problem, "Choose a path without < and >"
    elif found := re.search(r"[\n\r]", text):
        yield key, f"{text!a} holds the end of a line", "Choose a path without it"
    else:
        yield from _length_problems(key, base / text)


def _length_problems(key: str, folder: Path) -> Iterator[Problem]:
    existing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    try:
        longest_name, longest_path = (os.pathconf(existing, it) for it in ("PC_NAME_MAX", "PC_PATH_MAX"))
    except (OSError, ValueError):  # nobody knows
        return
    name = max(map(len, map(os.fsencode, folder.parts)))
    if name > longest_name:
        yield key, f"a name in it has {name} bytes, and this file system takes {longest_name}", "Choose a shorter one"
    elif longest_path >= 0 and len(os.fsencode(folder)) + _LONGEST > longest_path:
        yield (
            key,
            f"it has {len(os.fsencode(folder))} bytes, and a path {longest_path} at most",
            "Choose a shorter path",
        )


def folder_problems(given: Path, archives: Path, linkable: list[str]) -> Iterator[Problem]:
    """Why output_dir and archives_dir cannot be these two folders.

    Args:
        given: output_dir.
        archives: archives_dir.
        linkable: what may be a link to another disk in output_dir.
    """
    output, archives = real(given), real(archives)
    if output == archives:
        yield "output_dir", f"{output} is archives_dir too", "Give the archives a folder of their own"
    elif output.is_relative_to(archives):
        yield "output_dir", f"{output} lies in archives_dir", "Give the outputs a folder outside of it"
    elif archives.is_relative_to(output):
        yield "archives_dir", f"{archives} lies in output_dir", "Give the archives a folder outside of it"
    yield from file_problems("output_dir", given)
    for name in linkable:
        if os.path.islink(given / name):
            yield from file_problems("output_dir", given / name)
    # Where its links lead, there or not: much can be made without the archives.
    yield from file_problems("archives_dir", archives)


def real(path: Path) -> Path:
    """The path without links; links in a circle, with which `Path.resolve` fails, stay as they are."""
    return Path(os.path.realpath(path))


def file_problems(key: str, folder: Path) -> Iterator[Problem]:
    """Why a path is no folder, and none can be made there."""
    try:
        existing = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    except OSError as error:
        yield key, f"{folder}: {error.strerror}", "Choose another path"
        return
    if not os.path.exists(existing):
        # Whole, however long: both are to be looked at.
        problem = f"{existing} is a link to {real(existing)}, which is not there"
        yield key, problem, "Mount that disk, or mend the link"
    elif not os.path.isdir(existing):
        yield key, f"{existing} is a file, not a folder", "Write the name of a folder"


def publish_problems(url: str, base: Path, folders: list[tuple[str, Path]]) -> Iterator[Problem]:
    """Why nothing can be published there.

    Args:
        url: of a bucket, or the path of a folder.
        base: what that is relative to.
        folders: those that it may have nothing to do with, by their keys.
    """
    try:
        address = Address.parse(url)
    except PrepError as error:
        yield "publish.url", error.problem, error.remedy
        return
    if address.scheme == FOLDER:
        target = real(base / address.path)
        for key, folder in folders:
            folder = real(folder)
            if target.is_relative_to(folder) or folder.is_relative_to(target):
                problem = f"{target} is {key}, or one of them lies in the other"
                yield "publish.url", problem, "Write the path of another folder"
                return
        yield from file_problems("publish.url", target)
