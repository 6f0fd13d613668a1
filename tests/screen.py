"""What somebody sees of a program in a terminal: a real pseudo-terminal, and what its output makes of a screen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Callable, Mapping
from pathlib import Path

_SEQUENCE = re.compile(r"\x1b\[(\d*)([A-Za-z])")
_TOKEN = re.compile(r"\x1b\[[\d;]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+")


class Screen:
    """A terminal as wide as messages are long, with endless lines, in the part of ECMA-48 that is used here.

    Attributes:
        lines: everything on it, from the first line on.
    """

    def __init__(self, columns: int = 300, rows: int = 30) -> None:
        self.columns = columns
        self.rows = rows
        self.lines = [""]
        self._row = self._column = 0
        self._rest = ""

    def feed(self, text: str) -> None:
        """Take what a program has written."""
        text = self._rest + text
        cut = text.rfind("\x1b")
        whole = cut < 0 or _SEQUENCE.match(text, cut)
        text, self._rest = (text, "") if whole else (text[:cut], text[cut:])
        for token in _TOKEN.findall(text):
            if token == "\r":
                self._column = 0
            elif token == "\n":
                self._down()
            elif token[0] == "\x1b":
                self._obey(token)
            else:
                self._write(token)

    def _write(self, text: str) -> None:
        while text:
            if self._column == self.columns:
                self._down()
                self._column = 0
            part, text = text[: self.columns - self._column], text[self.columns - self._column :]
            line = self.lines[self._row].ljust(self._column)
            self.lines[self._row] = line[: self._column] + part + line[self._column + len(part) :]
            self._column += len(part)

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.lines):
            self.lines.append("")

    def _obey(self, sequence: str) -> None:
        matched = _SEQUENCE.fullmatch(sequence)
        number, command = matched.groups() if matched else ("", "m")
        if command == "J":
            assert number in ("", "0"), sequence
            self.lines[self._row] = self.lines[self._row][: self._column]
            del self.lines[self._row + 1 :]
        elif command == "A":
            top = max(0, len(self.lines) - self.rows)
            self._row = max(top, self._row - int(number or 1))
        else:
            assert command == "m", f"a sequence that this screen does not know: {sequence!r}"

    @property
    def text(self) -> str:
        """The lines, without blanks at their ends."""
        return "\n".join(line.rstrip() for line in self.lines)


def in_terminal(
    command: list[str], folder: Path, environment: Mapping[str, str], screen: Screen | None = None
) -> tuple[subprocess.Popen[bytes], int]:
    """Start a program in a terminal of its own, as large as a screen; return it, and what a user sees it through."""
    screen = screen or Screen()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", screen.rows, screen.columns, 0, 0))
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**environment, "TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    return process, ours


def watch(
    command: list[str],
    folder: Path,
    environment: Mapping[str, str],
    seen: Callable[[subprocess.Popen[bytes], str], None] = lambda process, text: None,
) -> tuple[int, str, str]:
    """Run a program in a terminal, to its end.

    Args:
        command: the program with its arguments.
        folder: where it runs.
        environment: its environment, TERM aside.
        seen: called with the process and the text of the screen whenever that changes.

    Returns:
        Its exit code, the text of the screen at last, and all that it wrote.
    """
    screen, written = Screen(), ""
    process, ours = in_terminal(command, folder, environment, screen)
    with open(ours, "rb", buffering=0) as terminal:
        while True:
            try:
                came = terminal.read(65536).decode(errors="replace")
            except OSError:  # EIO: nobody has the terminal open any more
                break
            if not came:
                break
            written += came
            screen.feed(came)
            seen(process, screen.text)
    return process.wait(), screen.text, written
