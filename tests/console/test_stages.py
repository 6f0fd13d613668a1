"""The stages of a run: the counts of all their jobs, as the jobs report them, those that have not begun included."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagenet_prep import progress
from imagenet_prep.console.display import result
from imagenet_prep.console.stages import Run, Stage, State
from imagenet_prep.progress import Progress

LOGS = [Path(f"logs/write_tfrecord/train-{number}.log") for number in range(4)]


@pytest.fixture(autouse=True)
def own_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def report(log: Path, done: int, total: int, images: int = 0, all_images: int = 0, unit: str = "bytes") -> None:
    """Do as a job that logs to this file."""
    before, progress._report = progress._report, progress._Report()
    try:
        progress.report_to(log)
        work = Progress("working", total, unit, images=all_images)
        work.advance(done, images)
        work.end()
    finally:
        progress._report = before


def begun(jobs: int = 4) -> tuple[Run, Stage]:
    """A run of one stage, of which the first two jobs run."""
    run = Run()
    run.expect((("write_tfrecord", "train", log) for log in LOGS[:jobs]), 0.0)
    for log in LOGS[:2]:
        run.start(log, 0.0)
    return run, run.stages["write_tfrecord", "train"]


def test_jobs_that_have_not_begun_are_taken_to_be_as_large_as_the_others() -> None:
    run, stage = begun()
    report(LOGS[0], 600_000, 1_000_000, 6, 10)
    report(LOGS[1], 200_000, 1_000_000, 2, 10)
    run.look(0.0)
    assert stage.line(0.0) == "20% of 4 MB, 8 of 40 images"


def test_the_rate_and_the_time_left_are_those_of_all_jobs_together() -> None:
    run, stage = begun()
    for seconds in (0, 10):
        for log in LOGS[:2]:
            report(log, seconds * 40_000, 1_000_000)
        run.look(float(seconds))
    assert stage.line(10.0) == "20% of 4 MB, 80 kB/s, 40 s left"


def test_what_is_done_counts_after_its_job_has_ended() -> None:
    run, stage = begun()
    report(LOGS[0], 900_000, 1_000_000, 9, 10)  # the last report is not seen here yet, as on a shared file system
    assert run.finish(LOGS[0], 5.0) is None
    assert stage.count
    assert (stage.count.done, stage.count.images) == (1_000_000, 10)


def test_a_stage_is_over_with_its_last_job() -> None:
    run, stage = begun(2)
    for log in LOGS[:2]:
        report(log, 300_000_000, 300_000_000, 3000, 3000)
    assert run.finish(LOGS[0], 8.0) is None
    assert run.finish(LOGS[1], 10.0) is stage
    assert result(stage) == "write_tfrecord train: 6000 images, 600 MB in 10 s, 60 MB/s"


def test_a_stage_that_counts_nothing_tells_its_jobs_and_its_time() -> None:
    run, stage = begun()
    run.finish(LOGS[0], 61.0)
    assert stage.line(61.0) == "1 of 4 jobs, 1 min 1 s"


def test_the_only_job_of_a_stage_says_what_it_does() -> None:
    run, stage = begun(1)
    report(LOGS[0], 30, 100, unit="files")
    run.look(0.0)
    assert stage.line(0.0) == "working: 30% of 100 files"


def test_what_turns_out_to_be_unneeded_is_forgotten_and_what_turns_up_is_expected() -> None:
    run, stage = begun()
    new = Path("logs/write_tfrecord_index/train.log")
    run.expect(
        [
            ("write_tfrecord", "train", LOGS[0]),
            ("write_tfrecord", "train", LOGS[1]),
            ("write_tfrecord_index", "train", new),
        ],
        0.0,
    )
    assert list(stage.jobs) == LOGS[:2]
    assert run.number() == 3
    run.expect([("write_tfrecord", "train", log) for log in LOGS[:2]], 0.0)
    assert [it.name for it in run.stages.values()] == ["write_tfrecord train"]


def test_a_running_job_that_is_not_to_be_done_any_more_is_done() -> None:
    run, stage = begun(2)
    assert run.expect([("write_tfrecord", "train", LOGS[1])], 1.0) == []
    assert run.number(State.DONE) == 1
    assert run.expect([], 2.0) == [stage]


def test_a_job_that_is_tried_again_begins_anew() -> None:
    run, _ = begun()
    run.fail(LOGS[0])
    assert (run.number(State.FAILED), run.number(State.RUNNING)) == (1, 1)
    run.start(LOGS[0], 9.0)
    assert (run.number(State.FAILED), run.number(State.RUNNING)) == (0, 2)


def test_a_job_without_a_log_is_none_of_a_stage() -> None:
    run, _ = begun()
    run.start(Path("unknown.log"), 0.0)
    assert run.finish(Path("unknown.log"), 0.0) is None
    assert run.number() == 4
