"""The stages of a run: the counts of all their jobs, as the jobs report them, those that have not begun included."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.runs import jobs_of
from imagenet_prep import progress
from imagenet_prep.console.display import result
from imagenet_prep.console.stages import Job, Run, Stage, State
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
    expected = jobs_of("write_tfrecord", LOGS[:jobs])
    run = Run(expected, jobs)
    for number, job in enumerate(expected[:2]):
        run.start(number, job, 0.0)
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
    assert run.finish(0, 5.0) is None
    assert stage.count
    assert (stage.count.done, stage.count.images) == (1_000_000, 10)


def test_a_stage_is_over_with_its_last_job() -> None:
    run, stage = begun(2)
    for log in LOGS[:2]:
        report(log, 300_000_000, 300_000_000, 3000, 3000)
    assert run.finish(0, 8.0) is None
    assert run.finish(1, 10.0) is stage
    assert result(stage) == "write_tfrecord train: 6000 images, 600 MB in 10 s, 60 MB/s"


def test_a_stage_that_counts_nothing_tells_its_jobs_and_its_time() -> None:
    run, stage = begun()
    run.finish(0, 61.0)
    assert stage.line(61.0) == "1 of 4 jobs, 1 min 1 s"


def test_the_only_job_of_a_stage_says_what_it_does() -> None:
    run, stage = begun(1)
    report(LOGS[0], 30, 100, unit="files")
    run.look(0.0)
    assert stage.line(0.0) == "working: 30% of 100 files"


def test_a_job_that_nobody_expected_makes_a_stage_of_its_own() -> None:
    run, _ = begun()
    run.start(9, Job("write_tfrecord_index", "train", Path("index.log")), 3.0)
    assert [it.name for it in run.running] == ["write_tfrecord train", "write_tfrecord_index train"]


def test_at_the_end_what_was_not_needed_is_forgotten_and_what_was_not_told_is_done() -> None:
    run, stage = begun()
    run.finish(0, 1.0)
    assert run.end(2.0) == [stage]
    assert list(stage.jobs) == LOGS[:2]
    assert (run.number(State.DONE), stage.seconds) == (2, 2.0)
    assert run.end(3.0) == []


def test_a_job_that_is_tried_again_begins_anew() -> None:
    run, _ = begun()
    run.fail(0)
    assert (run.number(State.FAILED), run.number(State.RUNNING)) == (1, 1)
    run.start(0, Job("write_tfrecord", "train", LOGS[0]), 9.0)
    assert (run.number(State.FAILED), run.number(State.RUNNING)) == (0, 2)


def test_the_subject_of_a_job_is_what_its_wildcards_say_less_its_part_and_its_receipt() -> None:
    wildcards = {"split": "train", "batch": "0-3-of-8", "digest": "0123456789", "number": "2"}
    assert Job.of("write_tfrecord", wildcards, "a.log") == Job("write_tfrecord", "train", Path("a.log"))


def test_an_end_that_is_told_of_an_unknown_job_changes_nothing() -> None:
    run, _ = begun()
    assert run.finish(7, 0.0) is None
    run.fail(7)
    assert run.number(State.RUNNING) == 2
