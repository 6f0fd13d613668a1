"""What was probably meant by a target, or the name of a file, that nothing makes."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from imagenet_prep.products import prediction_paths
from imagenet_prep.products.registry import SCORES, target_of_part

_LIKENESS = 0.8  # difflib's ratio from which on a part of a target counts as mistyped
_TABLE = "The README has a table of the products and their targets."


@dataclass(frozen=True)
class Known:
    """What this workflow can be asked for.

    Attributes:
        config: the configuration, complete.
        targets: gives the names of all targets that are no paths.
        files: gives the paths, below `output_dir`, of the files that are targets.
    """

    config: Mapping[str, Any]
    targets: Callable[[], Iterable[str]]
    files: Callable[[], Iterable[str]]


def of_target(typed: str, known: Known) -> str:
    """What to say of a target that nothing makes."""
    if "/" in typed or PurePosixPath(typed).suffix:
        return f"target {typed}: nothing makes a file of this name. {_meant_by_path(typed, known)}"
    near = _nearest(typed, list(known.targets()))
    return f"target {typed}: there is no such target. {_question(near) if near else _TABLE}"


def _meant_by_path(typed: str, known: Known) -> str:
    """The file, or the product, that was probably meant by a path."""
    output, files = known.config["output_dir"], list(known.files())
    below = _below(typed, output)
    for tail in below:  # the right file in another output folder, such as the usual one
        is_score = PurePosixPath(tail).parent == PurePosixPath(SCORES.path) and tail.endswith(
            (".json", ".classes.csv", ".png")
        )
        if tail in files or is_score:
            return _question(os.path.join(output, tail))
    for tail in below:
        if target := target_of_part(tail, known.config):
            return f"Its files are made together: ask for the target {target}."
    targets = set(known.targets())
    for tail in below:
        folder, name = PurePosixPath(tail).parent, PurePosixPath(tail).name
        if tail in targets:
            return f"Did you mean the target {tail}?"
        if difflib.get_close_matches(str(folder), [str(PurePosixPath(SCORES.path))], 1, _LIKENESS):
            return _question(str(PurePosixPath(output, SCORES.path, f"{prediction_paths.model_of(name)}.json")))
    near = difflib.get_close_matches(below[0], files, 1)
    return _question(os.path.join(output, near[0])) if near else _TABLE


def _below(typed: str, output_dir: str) -> list[str]:
    """What a path can be below the output folder: first its own place there, if it has one, then all its ends."""
    path = os.path.normpath(typed)
    inside = os.path.relpath(os.path.abspath(path), os.path.abspath(output_dir))
    parts = PurePosixPath(path).parts
    tails = [str(PurePosixPath(*parts[first:])) for first in range(1, len(parts))]
    return [*([] if inside.startswith("..") else [inside]), *tails, path]


def _nearest(typed: str, targets: Sequence[str]) -> str | None:
    """The target that was probably meant; None where none is similar.

    Of `tfrecord_val` that is `tfrecord_validation`, though `tfrecord` is more similar: it would want the train archive,
    which nobody asked for who names a split.
    """
    parts = typed.split("_")
    alike = [it for it in targets if len(it.split("_")) == len(parts) and all(map(_is_short_for, parts, it.split("_")))]
    near = difflib.get_close_matches(typed, alike or targets, 1, 0.0 if alike else 0.6)
    return near[0] if near else None


def _is_short_for(typed: str, part: str) -> bool:
    """Whether a part of a target is what was typed, cut off or with a slip."""
    return bool(typed) and (part.startswith(typed) or difflib.SequenceMatcher(None, typed, part).ratio() >= _LIKENESS)


def _question(meant: str) -> str:
    return f"Did you mean {meant}?"
