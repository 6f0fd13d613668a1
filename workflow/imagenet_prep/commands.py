"""The commands that messages give to people: as the run was started, and quoted, so that they work as they stand.

A run leaves how it was started in the environment of its jobs. Paths in commands are those that the shell finds where
snakemake was typed, which with `--directory` is another folder than that of the run.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

VARIABLE = "IMAGENET_PREP_COMMAND"

# Of snakemake's options, those that say which workflow, where, with which configuration, and on what it runs.
_WITH_ONE = ("--snakefile", "-s"), ("--directory", "-d"), ("--profile",), ("--workflow-profile",), ("--cores", "-c")
_WITH_SOME = ("--configfile", "--configfiles"), ("--config", "-C")
_DEFAULT: dict[str, Any] = {"program": ["snakemake"], "cores": ["--cores", "all"], "options": [], "directory": ""}


def started_by(words: Sequence[str]) -> str:
    """What `VARIABLE` is to hold in a run that was started by these words, `sys.argv`."""
    found = _options(words)
    cores = found.pop("--cores", None)
    if not cores and not found.get("--profile"):
        cores = "all"
    options: list[str] = []
    for name, values in found.items():
        listed = values if isinstance(values, list) else [values] if values else []
        options += [name, *listed] if listed else []
    how = {
        "program": _program(words[0]),
        "cores": ["--cores", cores] if cores else [],
        "options": options,
        "directory": found.get("--directory") or "",
    }
    return json.dumps(how)


def _options(words: Sequence[str]) -> dict[str, Any]:
    """The values of those of snakemake's options that a command is to have again, by their long names."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for names in _WITH_ONE:
        parser.add_argument(*names, dest=names[0], nargs="?", const="all")
    for names in _WITH_SOME:
        parser.add_argument(*names, dest=names[0], nargs="*", action="extend", default=[])
    try:
        return vars(parser.parse_known_args(list(words[1:]))[0])
    except (argparse.ArgumentError, SystemExit):  # snakemake itself has understood it
        return {}


def configfiles(words: Sequence[str]) -> list[str]:
    """What stands behind --configfile in these words, `sys.argv`."""
    return list(_options(words).get("--configfile", []))


def settings(words: Sequence[str]) -> list[str]:
    """What stands behind --config."""
    return list(_options(words).get("--config", []))


def from_elsewhere(words: Sequence[str], config: Mapping[str, Any]) -> str:
    """The options with which these words, `sys.argv`, are about the same files when the run is in another folder.

    Args:
        words: how the run was started.
        config: the configuration, complete.
    """
    places = [f"{key}={os.path.abspath(config[key])}" for key in ("output_dir", "archives_dir")]
    files = configfiles(words) or ["config/config.yaml"]
    return shlex.join(["--configfile", *files, "--config", *settings(words), *places])


def with_targets_in_front(words: Sequence[str], targets: Sequence[str]) -> str:
    """The command that these words, `sys.argv`, were to be, with targets that stand behind an option in front of it."""
    how = json.loads(started_by([word for word in words if word not in targets]))
    return _command(how, targets)


def with_cores(words: Sequence[str]) -> str:
    """The command that these words, `sys.argv`, were to be, with the number of cores that they lack."""
    return shlex.join([*_program(words[0]), "--cores", "all", *words[1:]])


def snakemake(*targets: str | os.PathLike[str], config: Sequence[str] = ()) -> str:
    """The command that makes targets as this run would: names of rules, or paths of files, which stay as they are.

    Args:
        targets: what is to be made.
        config: settings as `--config` has them, which come to those that the run was started with.
    """
    return _command(_how(), targets, config)


def _command(how: dict[str, Any], targets: Sequence[str | os.PathLike[str]], config: Sequence[str] = ()) -> str:
    options = list(how["options"])
    if config:
        place = options.index("--config") + 1 if "--config" in options else None
        options = [*options[:place], *config, *options[place:]] if place else [*options, "--config", *config]
    return shlex.join([*how["program"], *how["cores"], *(os.fspath(it) for it in targets), *options])


def typed(path: str | os.PathLike[str]) -> str:
    """A path, relative to the folder of the run or absolute, as it is to be typed in a shell."""
    where = os.path.join(_how()["directory"], path)
    return shlex.quote(f"./{where}" if where.startswith("-") else where)


def remove(*paths: str | os.PathLike[str], then: str, pattern: str = "") -> str:
    """The command that removes files or folders, of which some may be gone, and goes on with another command.

    Args:
        paths: all of them.
        then: the command that follows.
        pattern: what matches all of them and no others in a shell, a star in the name, where they are many.
    """
    folders = any(Path(path).is_dir() and not Path(path).is_symlink() for path in paths)
    head, _, tail = pattern.rpartition("*")
    named = f"{typed(head)}*{shlex.quote(tail)}" if "*" in pattern else " ".join(map(typed, paths))
    return f"rm {'-rf' if folders else '-f'} {named} && {then}"


def move_away(path: str | os.PathLike[str], output_dir: str | os.PathLike[str]) -> str:
    """The command that moves something that nobody knows out of the output folder, and keeps it.

    It keeps what was moved away before, too: where that has the same name, it is another folder.
    """
    below = os.path.relpath(path, output_dir)
    folders = (f"{Path(output_dir)}.moved-away{end}" for end in chain([""], map("-{}".format, count(2))))
    aside = next(place for folder in folders if _is_free(place := Path(folder, below))).parent
    return f"mkdir -p {typed(aside)} && mv {typed(path)} {typed(aside)}/"


def _is_free(place: Path) -> bool:
    """Whether something can be moved there: no file has its name, nor that of a folder above it."""
    return not os.path.lexists(place) and next(it for it in place.parents if os.path.lexists(it)).is_dir()


def _program(word: str) -> list[str]:
    """How snakemake is called again."""
    if os.path.basename(word) == "__main__.py":
        word = os.path.join(os.path.dirname(sys.executable), "snakemake")
        if not os.path.isfile(word):
            return [sys.executable, "-m", "snakemake"]
    is_found = os.path.basename(word) != "snakemake" or word == shutil.which("snakemake")
    return ["snakemake"] if is_found else [word]


def _how() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(os.environ[VARIABLE]) if VARIABLE in os.environ else _DEFAULT
    return found
