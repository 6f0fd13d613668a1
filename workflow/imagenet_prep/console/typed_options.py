"""What is wrong with a file behind --configfile, or a setting behind --config, that Snakemake cannot read.

Snakemake fails before it reads the workflow, and names neither the file nor the setting.
"""

from __future__ import annotations

import ast
import difflib
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from imagenet_prep import commands
from imagenet_prep.errors import PrepError

_OS_ERROR = re.compile(r"\[Errno \d+\] ([^:]+): (['\"].*['\"])\s*$")
_CONFIGURATIONS = {".yaml", ".yml", ".json"}
_DEFAULT = "config/config.yaml"  # which the workflow reads by itself
_NO_FILE, _NO_YAML, _NO_SETTING = "_load_configfile", "Config file ", "Invalid config definition"


def problem(exception: str, text: str) -> str | None:
    """The line for an error of Snakemake's, by the name of its exception; None where it is about something else."""
    if exception in ("FileNotFoundError", "IsADirectoryError", "PermissionError") and _NO_FILE in text:
        found = _OS_ERROR.search(text)
        return _of_missing(ast.literal_eval(found[2]), found[1]) if found else None
    if _NO_YAML in text or exception == "UnicodeDecodeError":
        return _of_content(commands.configfiles(sys.argv))
    if _NO_SETTING in text:
        return _of_settings(commands.settings(sys.argv))
    return None


def _of_missing(path: str, why: str) -> str:
    if Path(path).suffix not in _CONFIGURATIONS:
        given = commands.configfiles(sys.argv)
        targets = [it for it in given if Path(it).suffix not in _CONFIGURATIONS and not os.path.isfile(it)]
        return _of_targets(path, "a configuration file", "--configfile", targets)
    folder = Path(path).parent
    others = sorted(
        str(it) for kind in _CONFIGURATIONS for it in [*folder.glob(f"*{kind}"), *Path().glob(f"*/*{kind}")]
    )
    near = difflib.get_close_matches(path, others, 1)
    meant = f"Did you mean {near[0]}?" if near else "Write the name of one that is there."
    return f"{path}: this configuration file cannot be read ({why}). {meant}"


def _of_targets(word: str, taken_for: str, option: str, targets: Sequence[str]) -> str:
    command = commands.with_targets_in_front(sys.argv, targets)
    return f"{word}: behind {option} it is taken for {taken_for}. Type targets in front of that: {command}"


def _of_content(paths: Sequence[str]) -> str | None:
    """What is wrong with the first of these files, or `_DEFAULT`, that is no configuration; None if all are right."""
    import yaml

    for path in (*paths, _DEFAULT):
        remedy = "Write what config/README.md describes, as `key: value`"
        try:
            content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "somewhere"
            what = " ".join(str(getattr(error, "problem", None) or error).split())
            return str(PrepError(path, f"this is not YAML: in {where}, {what}", remedy))
        except UnicodeDecodeError as error:
            return str(PrepError(path, "this is no text in UTF-8", remedy, offset=error.start))
        except OSError:
            continue
        if not isinstance(content, dict):
            holds = "it is empty" if content is None else f"it is a {'list' if isinstance(content, list) else 'value'}"
            return str(PrepError(path, f"there are no keys in this configuration file: {holds}", remedy))
    return None


def _of_settings(settings: Sequence[str]) -> str | None:
    for word in settings:
        key, is_setting, value = word.partition("=")
        if not is_setting:
            return _of_targets(word, "a setting", "--config", [it for it in settings if "=" not in it])
        section, dot, name = key.partition(".")
        if dot and section.isidentifier():
            return f"--config {word}: a key in a section is written so: --config '{section}={{{name}: {value}}}'"
        if not key.isidentifier():
            return f"--config {word}: {key!r} is no key. config/README.md has all keys."
    return None
