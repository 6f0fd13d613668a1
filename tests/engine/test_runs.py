"""What a run notes in the output folder, and whose folder it takes for its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.outputs import written
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.runs import claim, disclaim, is_claimed, is_older, note, noted
from imagenet_prep.errors import PrepError


def test_what_a_run_asks_for_is_told_to_its_jobs(tmp_path: Path) -> None:
    answers = {"numbers": {"labels/all.0123456789": 2}, "batches": {"tfrecord/train.0123456789": [[0, 1]]}}
    note(tmp_path, "run 7", answers)
    assert noted(tmp_path) == {"id": "run 7", **answers}


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00"])
def test_a_damaged_note_of_a_run_tells_nothing(tmp_path: Path, content: str) -> None:
    written(tmp_path / "state" / "run.json", content)
    assert noted(tmp_path) == noted(tmp_path / "none") == {}


def test_a_folder_that_was_claimed_is_claimed_again(tmp_path: Path) -> None:
    claim(tmp_path, ILSVRC2012.name)
    before = (tmp_path / "state" / "about.json").read_bytes()
    claim(tmp_path, ILSVRC2012.name)
    assert (tmp_path / "state" / "about.json").read_bytes() == before


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"dataset": "places365", "form": 2}, r"data set places365.*Choose another output_dir"),
        ({"dataset": "ilsvrc2012", "form": 3}, r"newer version.*Use that version"),
    ],
)
def test_a_folder_of_others_is_refused_and_stays(tmp_path: Path, about: dict[str, object], message: str) -> None:
    note = written(tmp_path / "state" / "about.json", about)
    before = note.read_bytes()
    with pytest.raises(PrepError, match=message) as caught:
        claim(tmp_path, ILSVRC2012.name)
    assert caught.value.place == str(tmp_path)
    assert note.read_bytes() == before


def test_a_folder_of_an_older_version_is_known_also_where_this_one_was_there_before(tmp_path: Path) -> None:
    assert not is_older(tmp_path)
    claim(tmp_path, ILSVRC2012.name)
    assert is_claimed(tmp_path)
    assert not is_older(tmp_path)
    written(tmp_path / "state" / "archives" / "train.stat")
    assert is_older(tmp_path)
    receipts = [written(tmp_path / "state" / step / "all.0123456789.1.json") for step in ("archives", "labels")]
    disclaim(tmp_path, ILSVRC2012.name)
    assert not is_claimed(tmp_path)
    assert [path.exists() for path in receipts] == [True, False]
