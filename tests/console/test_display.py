"""The lines that are drawn again and again at the bottom of a terminal, whatever else is printed there."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from console.runs import begun
from imagenet_prep.console.display import Display
from imagenet_prep.console.stages import Run, State
from imagenet_prep.progress import CLEAR
from screen import Screen

COLUMNS, ROWS = 40, 6


class Terminal:
    """A pseudo-terminal of a few columns and rows.

    Attributes:
        stream: what programs write to.
        screen: what they make of it.
    """

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.stream: TextIO = os.fdopen(theirs, "w")
        self.screen = Screen(COLUMNS, ROWS)

    def read_until(self, text: str) -> None:
        """Wait until the screen shows a text."""
        for _ in range(100):  # drawings: it never comes, if not in so many
            if text in self.screen.text:
                return
            self.screen.feed(os.read(self._ours, 65536).decode())
        raise AssertionError(self.screen.text)

    def close(self) -> None:
        """Give it back, with all that is left in it on the screen."""
        self.stream.close()
        try:
            while came := os.read(self._ours, 65536):
                self.screen.feed(came.decode())
        except OSError:  # EIO: it is empty, and nobody has it open any more
            os.close(self._ours)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.chdir(tmp_path)
    yield Terminal()


def running(*rules: str) -> Run:
    return begun(*((rule, "train") for rule in rules))


def test_what_others_print_stays_and_the_lines_are_drawn_below_it(terminal: Terminal) -> None:
    display = Display(running("write_imagefolder", "write_tfrecord"), terminal.stream, live=True)
    display.start()
    terminal.read_until("0 of 2 jobs")
    terminal.stream.write(f"{CLEAR}a line of a job\n")
    terminal.stream.flush()
    terminal.read_until("a line of a job\nwrite_imagefolder train")
    display.write("a line of the run")
    terminal.read_until("a line of the run\nwrite_imagefolder train")
    terminal.read_until("0 of 2 jobs")
    display.stop()
    terminal.close()
    assert terminal.screen.text == "a line of a job\na line of the run\n"


def test_a_small_terminal_shows_as_much_as_it_holds(terminal: Terminal) -> None:
    names = [f"a_rule_with_a_name_longer_than_the_terminal_{number}" for number in range(5)]
    display = Display(running(*names), terminal.stream, live=True)
    display.start()
    terminal.read_until("0 of 5 jobs")
    lines = terminal.screen.text.splitlines()
    display.stop()
    terminal.close()
    assert lines[:-1] == ["a_rule_with_a_name_longer_than_the_term"] * (ROWS - 3)
    assert terminal.screen.text == ""


def test_nothing_of_a_run_is_read_while_it_is_changed(terminal: Terminal) -> None:
    class Watched(Run):
        read = False

        def number(self, state: State) -> int:
            self.read = True
            return super().number(state)

    run = Watched([], 0)
    display = Display(run, terminal.stream, live=True)
    with display.held():
        display.start()
        time.sleep(0.2)
        assert not run.read
    terminal.read_until("0 of 0 jobs")
    display.stop()
    terminal.close()


def test_a_terminal_that_was_closed_does_not_end_the_run(terminal: Terminal) -> None:
    display = Display(running("write_imagefolder"), terminal.stream, live=True)
    display.start()
    terminal.read_until("0 of 1 jobs")
    terminal.close()
    display.write("a line")
    display.stop()
