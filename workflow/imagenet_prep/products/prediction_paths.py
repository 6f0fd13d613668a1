"""Where the predictions of a model lie, and whether they are those that were scored. Imports are light."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from imagenet_prep import commands
from imagenet_prep.engine.archive_paths import stat
from imagenet_prep.engine.receipts import DIGEST, digest, load
from imagenet_prep.errors import PrepError

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".npy", ".json", ".jsonl")
"""Names of files that can be read end so."""


def find(folder: Path, model: str) -> Path | None:
    """The file of a model's predictions; None where there is none.

    Raises:
        PrepError: there are several.
    """
    place = folder / model
    there = sorted(place.parent.iterdir()) if place.parent.is_dir() else []
    found = [path for path in there if path.stem == place.name and path.suffix.lower() in SUFFIXES and path.is_file()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise PrepError(folder, f"there are several files of {model}'s predictions: {names}", "Keep one of them there")
    return found[0] if found else None


def model_of(name: str) -> str:
    """The model that a file is named after, predictions or scores; the whole name where it has no ending of these."""
    path = Path(name)
    return path.stem if path.suffix.lower() in (*SUFFIXES, ".png") else name


def missing(folder: Path, model: str, scores: Path) -> PrepError:
    """The error that there are no predictions of a model, with what was probably meant.

    Args:
        folder: where they are looked for.
        model: its name.
        scores: where the scores go to.
    """
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    models = {path.stem for path in map(Path, names) if path.suffix in SUFFIXES}
    problem = f"there are no predictions of a model {model!r} ({model}{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]})"
    remedy = "Put them there, then run the same command again; docs/scores.md says what is read"
    if others := [it for it in names if it.startswith(f"{model}.")]:
        why = "is of no form that is read" if (folder / others[0]).is_file() else "is a folder, or a link to nowhere"
        problem += f"; {others[0]} {why}"
    elif near := difflib.get_close_matches(model, models, 1):
        remedy = f"If {near[0]} is meant: {commands.snakemake(scores.with_name(near[0] + scores.suffix))}"
    elif models:
        problem += f", but of {', '.join(sorted(models)[:5])}"
    return PrepError(folder, problem, remedy)


def forget(folder: Path, model: str) -> None:
    """Remove what earlier runs noted of a model's predictions."""
    note = re.compile(rf"{re.escape(model)}\.{DIGEST}\.json")
    for path in folder.glob("*.json"):
        if note.fullmatch(path.name):
            path.unlink(missing_ok=True)


def change(receipt: Path, predictions: Path) -> str | None:
    """A name for the change from the predictions that were scored to those that are there; None without one.

    It is never the same again. A newer file Snakemake finds by itself; one that was copied with its time may be older
    than the scores.
    """
    try:
        scored = load(receipt).get("predictions")
    except PrepError:  # they are scored in any case
        return None
    here = stat(predictions)
    return None if scored in (None, here) else digest(scored, here, stat(receipt))
