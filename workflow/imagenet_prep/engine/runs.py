"""What a run notes in the output folder: what the folder is of, and which receipts the run asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.engine.receipts import ARCHIVES, FETCHED, STATE, names, remove_with_tables
from imagenet_prep.errors import PrepError

FORM = 2
"""The form of what stands in `state/`: 1 had receipts without digests, and said nowhere which form it was."""

RUN_ID = "IMAGENET_PREP_RUN"
"""The variable of the environment that tells a job which run has started it."""


REPORTS_ARCHIVES = "reports_archives"
"""What a run notes that is to look at all archives before it says what is wrong with them."""


def note(output_dir: Path, run_id: str, answers: Mapping[str, Any]) -> None:
    """Note what the run asks for (`Provenance.answers`), for jobs on other machines, which read the workflow again."""
    atomic.write_json(output_dir / STATE / "run.json", {"id": run_id, **answers})


def forget(output_dir: Path) -> None:
    """Take the note away at the end of the run."""
    (output_dir / STATE / "run.json").unlink(missing_ok=True)


def noted(output_dir: Path) -> dict[str, Any]:
    """What the run that goes on asks for; nothing where that is not noted."""
    return read_object(output_dir / STATE / "run.json")


def is_older(output_dir: Path) -> bool:
    """Whether an older version was the last to make what lies here, and not all of it was taken over yet."""
    return bool(archives_of_form_1(output_dir))


def is_claimed(output_dir: Path) -> bool:
    """Whether this version, or a newer one, has made something here."""
    return bool(read_object(_about(output_dir)))


def disclaim(output_dir: Path, dataset: str) -> None:
    """Believe nothing of what this version has noted but of archives, and last not that the folder was claimed.

    For a folder in which an older version, which knows nothing of these receipts, has been at work again since.

    Raises:
        PrepError: as `claim` does.
    """
    claim(output_dir, dataset)
    steps = [path for path in (output_dir / STATE).iterdir() if path.is_dir() and path.name not in (ARCHIVES, FETCHED)]
    remove_with_tables(step / str(name) for step in steps for name in names(step))
    _about(output_dir).unlink()


def archives_of_form_1(output_dir: Path) -> set[str]:
    """The names of the archives that an older version has verified."""
    return {path.stem for path in (output_dir / STATE / "archives").glob("*.stat")}


def claim(output_dir: Path, dataset: str) -> None:
    """Note of which data set the output folder is, by its name, and the form of its state.

    Raises:
        PrepError: it is of another data set, or a newer version has written it.
    """
    own = {"dataset": dataset, "form": FORM}
    noted = read_object(_about(output_dir)) or own
    if noted.get("dataset") != dataset:
        problem = f"this folder is of the data set {noted.get('dataset')}, and the configuration asks for {dataset}"
        raise PrepError(output_dir, problem, "Choose another output_dir, one for each data set")
    if noted.get("form") != FORM:
        problem = f"a newer version of this workflow has made what lies here (form {noted.get('form')}, not {FORM})"
        raise PrepError(output_dir, problem, "Use that version, or choose another output_dir")
    if not _about(output_dir).exists():
        atomic.write_json(_about(output_dir), own)


def _about(output_dir: Path) -> Path:
    return output_dir / STATE / "about.json"


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; an empty one where there is none that can be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
