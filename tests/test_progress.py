"""Progress: how far, how fast, how long; lines in a log, and a bar in a terminal that one process at a time draws."""

from __future__ import annotations

import logging
import os
import pty
import select
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from imagenet_prep import progress
from imagenet_prep.progress import Progress, TerminalHandler


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
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal that standard error goes to; what was written there can be read from it."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    with os.fdopen(theirs, "w", buffering=1) as stderr:
        monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stderr))
        yield ours
        progress._terminal.clear()
    os.close(ours)


def expect(terminal: int, text: str) -> None:
    """What comes next from a terminal is this, however it is cut into writes."""
    came = b""
    while len(came) < len(text):
        assert select.select([terminal], [], [], 10)[0], came
        came += os.read(terminal, 1000)
    assert came.decode() == text


def test_share_rate_and_time_left(clock: Clock) -> None:
    work = Progress("downloading a.tar", 4_000_000_000)
    clock.now += 10
    work.reach(1_000_000_000)
    assert str(work) == "downloading a.tar: 25% of 4.0 GB, 100 MB/s, 0 min 30 s left"


def test_what_an_earlier_run_did_counts_for_the_share_and_not_for_the_rate(clock: Clock) -> None:
    work = Progress("downloading a.tar", 4_000_000_000, start=2_000_000_000)
    clock.now += 10
    work.reach(3_000_000_000)
    assert str(work) == "downloading a.tar: 75% of 4.0 GB, 100 MB/s, 0 min 10 s left"


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
    work = Progress("writing", 100, "records")
    clock.now += 2
    work.reach(50)
    assert str(work) == "writing: 50% of 100 records, 25 records/s, 0 min 2 s left"


def test_lines_come_now_and_then(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    work = Progress("downloading a.tar", 10_000_000)
    for _ in range(36_000):
        clock.now += 1
        work.advance(1)
    assert 100 < len(caplog.records) < 300


def test_a_terminal_gets_a_bar_and_no_lines(clock: Clock, terminal: int) -> None:
    work = Progress("downloading a.tar", 4000)
    handler = TerminalHandler(progress.sys.stderr)
    record = logging.LogRecord("n", logging.INFO, "f", 1, "a line", None, None)
    record.progress = True
    clock.now += 20
    work.reach(1000)
    handler.emit(record)
    expect(terminal, "\r\x1b[K\x1b[7mdownloading a.tar: 2\x1b[27m5% of 4 kB, 50 B/s, 1 min 0 s left\r")
    record.progress = False
    handler.emit(record)
    expect(terminal, "\r\x1b[Ka line\r\n")


def test_the_bar_goes_when_the_work_is_done(clock: Clock, terminal: int) -> None:
    work = Progress("downloading a.tar", 4000)
    clock.now += 1
    work.reach(1000)
    expect(terminal, "\r\x1b[K\x1b[7mdownloading a.tar: 2\x1b[27m5% of 4 kB, 1 kB/s, 0 min 3 s left\r")
    work.reach(4000)
    expect(terminal, "\r\x1b[K")


def test_a_second_process_writes_lines_while_the_first_has_the_bar(clock: Clock, terminal: int) -> None:
    first, second = progress._Terminal(), progress._Terminal()
    work = Progress("downloading a.tar", 4000)
    first.draw(work)
    second.draw(work)
    assert (first.has_bar, second.has_bar) == (True, False)
    first.clear()
    second.draw(work)
    assert (first.has_bar, second.has_bar) == (False, True)
    second.clear()


def test_without_a_terminal_there_is_no_bar(clock: Clock, capfd: pytest.CaptureFixture[str]) -> None:
    work = Progress("downloading a.tar", 4000)
    clock.now += 1
    work.reach(1000)
    assert capfd.readouterr().err == ""
