"""Snakemake's logger plugin of this workflow: hands each record on to `imagenet_prep.console.terminal`.

Snakemake finds this package by its name, and uses it where a profile has `logger: [imagenet-prep]`. Every start of
snakemake imports it, before it is known which clone's workflow will be read. So it imports nothing of the library at
first, and prints every record, until the workflow calls `show_on`. Where Snakemake fails before that, no workflow will
be read any more, and the installed library explains the error.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import Any, TextIO

from snakemake_interface_logger_plugins.base import LogHandlerBase


class LogHandler(LogHandlerBase):
    """The one handler of a run that writes to its terminal. Snakemake calls it in a thread of its own.

    Attributes:
        terminal: the `Terminal` that gets every record and prints lines; None until `show_on` was called.
        stream: where lines go to.
    """

    writes_to_stream = True
    writes_to_file = False
    has_filter = False  # Snakemake's is right: it knows what --quiet and -n let through
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.terminal: Any = None
        self.stream = (sys.stdout if self.common_settings.stdout else sys.stderr) or _nowhere()

    @property
    def quiet(self) -> set[str]:
        """What --quiet names: such as "all", "progress" or "rules"."""
        return {str(it) for it in self.common_settings.quiet or ()}

    @property
    def says_everything(self) -> bool:
        """Whether all that Snakemake says is wanted: with --verbose or --debug-dag."""
        return self.common_settings.verbose or self.common_settings.debug_dag

    def show_on(self, terminal: Any) -> None:
        """Hand all further records to this terminal."""
        self.terminal = terminal

    def handle(self, record: logging.LogRecord) -> bool:
        """Hand a record to the terminal, also one that --quiet keeps from being printed."""
        try:
            if self.terminal is not None:
                self.terminal.follow(record)
            elif hasattr(record, "exception"):
                self._say_error(record)
                return True
            return bool(super().handle(record))
        except Exception:  # as all handlers do: later records are to be shown, even if this one cannot be
            self.handleError(record)
            return False

    def emit(self, record: logging.LogRecord) -> None:
        """Print the text of a record, or let the terminal decide on it."""
        text = self.format(record)
        if text in ("", "None"):
            return
        if self.terminal is not None:
            self.terminal.say(record, text)
            return
        self._write(text)

    def _say_error(self, record: logging.LogRecord) -> None:
        """Say why Snakemake ends, where there is no terminal to say it."""
        text = record.getMessage()
        if self.says_everything:
            self._write(text)
        for line in _of_error(str(record.__dict__["exception"]), text):
            self._write(line)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a terminal that was closed must not end the run
            print(text, file=self.stream, flush=True)

    def close(self) -> None:
        """End with the last lines of the run; Snakemake has said everything by now."""
        if self.terminal is not None:
            terminal, self.terminal = self.terminal, None
            terminal.close()
        super().close()


def _of_error(exception: str, text: str) -> list[str]:
    """What to say of an error of Snakemake's."""
    try:
        from imagenet_prep.console import snakemake_errors
    except ImportError:  # of an environment that another workflow has this plugin from
        return [text]
    return ["", *snakemake_errors.lines(exception, text)]


def _nowhere() -> TextIO:
    """A stream for a run whose terminal is closed (`2>&-`).

    The numbers 0 to 2 are kept taken: else the next file that is opened would get one, and all that jobs print with it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    return open(os.devnull, "w")
