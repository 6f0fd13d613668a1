"""Progress: how far, how fast, how long; lines in the log of a job, and counts in a file that its run reads."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from types import SimpleNamespace

import pytest

from imagenet_prep import progress
from imagenet_prep.progress import Count, Progress, TerminalHandler, read_report

LOG = Path("results", "logs", "scan_archive", "a.log")


class Clock:
    """A clock that stands still until it is set."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture
def reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process is a job that logs to `LOG`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "_report", progress._Report())
    progress.report_to(LOG)


def test_share_rate_and_time_left(clock: Clock) -> None:
    work = Progress("downloading a.tar", 4_000_000_000)
    clock.now += 10
    work.reach(1_000_000_000)
    assert str(work) == "downloading a.tar: 25% of 4.0 GB, 100 MB/s, 30 s left"


def test_what_an_earlier_run_did_counts_for_the_share_and_not_for_the_rate(clock: Clock) -> None:
    work = Progress("downloading a.tar", 4_000_000_000, start=2_000_000_000)
    clock.now += 10
    work.reach(3_000_000_000)
    assert str(work) == "downloading a.tar: 75% of 4.0 GB, 100 MB/s, 10 s left"


def test_the_rate_is_that_of_the_last_half_minute(clock: Clock) -> None:
    work = Progress("downloading a.tar", 10_000_000_000)
    for _ in range(100):
        clock.now += 1
        work.advance(1_000_000)
    for _ in range(31):
        clock.now += 1
        work.advance(50_000_000)
    assert "50 MB/s" in str(work)


def test_an_unknown_total_has_neither_share_nor_time_left(clock: Clock) -> None:
    work = Progress("downloading a.tar", 0)
    clock.now += 1
    work.reach(5_000_000)
    assert str(work) == "downloading a.tar: 5 MB, 5 MB/s"


def test_other_units_have_their_names(clock: Clock) -> None:
    work = Progress("reading shards", 100, "files")
    clock.now += 2
    work.reach(50)
    assert str(work) == "reading shards: 50% of 100 files, 25 files/s, 2 s left"


def test_images_are_counted_beside_bytes(clock: Clock) -> None:
    work = Progress("writing train", 148_000_000_000, images=1_281_167)
    clock.now += 100
    work.advance(37_000_000_000, images=320_292)
    assert str(work) == "writing train: 25% of 148.0 GB, 320 k of 1.28 M images, 370 MB/s, 5 min 0 s left"


def test_lines_come_now_and_then(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    work = Progress("downloading a.tar", 10_000_000)
    for _ in range(36_000):
        clock.now += 1
        work.advance(1)
    assert 100 < len(caplog.records) < 300


def test_the_run_reads_how_far_a_job_is(clock: Clock, reported: None) -> None:
    assert read_report(LOG) is None
    work = Progress("writing train", 4000, images=40)
    assert read_report(LOG) == Count("writing train", "bytes", 0, 4000, 0, 40)
    clock.now += 1
    work.advance(1000, images=10)
    assert read_report(LOG) == Count("writing train", "bytes", 1000, 4000, 10, 40)
    work.advance(3000, images=30)
    assert read_report(LOG) == Count("writing train", "bytes", 4000, 4000, 40, 40)


def test_a_shorter_report_leaves_nothing_of_a_longer_one(clock: Clock, reported: None) -> None:
    Progress("reading a file with a long name", 10**12)
    Progress("reading", 1)
    assert read_report(LOG) == Count("reading", "bytes", 0, 1)


def test_a_report_that_is_being_written_is_none(clock: Clock, reported: None) -> None:
    Progress("reading", 10)
    (path,) = [path for path in progress.FOLDER.rglob("*") if path.is_file()]
    path.write_bytes(path.read_bytes()[:20])
    assert read_report(LOG) is None


def test_reports_of_earlier_runs_are_forgotten(clock: Clock, reported: None) -> None:
    Progress("reading", 10)
    progress.forget_reports(LOG.parent.parent)
    assert read_report(LOG) is None


def test_a_job_that_cannot_report_goes_on(clock: Clock, reported: None, tmp_path: Path) -> None:
    (tmp_path / ".snakemake").write_text("a file in the place of the folder")
    work = Progress("reading", 10)
    work.advance(10)
    assert work.count.is_over


def test_a_job_reports_by_one_call_a_second(clock: Clock, reported: None, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Progress("reading", 10**9)
    calls: list[int] = []
    monkeypatch.setattr(progress.os, "pwrite", lambda descriptor, data, offset: calls.append(len(data)))
    monkeypatch.setattr(progress.os, "open", None)  # nothing is opened again
    for _ in range(10_000):
        clock.now += 0.001
        work.advance(1)
    assert len(calls) in (9, 10)


def handled(stream: io.StringIO, **extra: bool) -> str:
    record = logging.LogRecord("n", logging.INFO, "f", 1, "a line", None, None)
    record.__dict__.update(extra)
    TerminalHandler(stream).emit(record)
    return stream.getvalue()


def test_lines_of_a_job_are_on_standard_error_where_no_run_tells_of_it() -> None:
    assert handled(io.StringIO(), for_log=True) == "a line\n"


def test_a_job_with_its_run_s_terminal_shows_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(progress._SPEAKER, "")
    with (tmp_path / "terminal").open("w") as ours, (tmp_path / "job.out").open("w") as another:
        monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=ours))
        progress.speak_for_jobs()
        assert handled(io.StringIO(), for_log=True) == ""
        assert handled(io.StringIO()) == "a line\n"
        monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=another))  # as on another node of a cluster
        assert handled(io.StringIO(), for_log=True) == "a line\n"


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0"), (9999, "9999"), (10_000, "10.0 k"), (99_949, "99.9 k"), (551_000, "551 k"), (1_281_167, "1.28 M")],
)
def test_numbers_are_shown_with_three_digits(number: int, shown: str) -> None:
    assert progress.shown_number(number) == shown


@pytest.mark.parametrize(
    ("nbytes", "shown"), [(0, "0 B"), (999, "999 B"), (999_600, "1 MB"), (6_744_924_160, "6.7 GB")]
)
def test_bytes_are_shown_in_units_of_a_thousand(nbytes: int, shown: str) -> None:
    assert progress.shown_bytes(nbytes) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (7500, "2 h 5 min")]
)
def test_times_are_shown_by_their_two_largest_units(seconds: float, shown: str) -> None:
    assert progress.shown_time(seconds) == shown
