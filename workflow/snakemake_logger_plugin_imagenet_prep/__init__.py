"""Hands what Snakemake says on to the workflow, which knows what of it is worth a line on the terminal.

Snakemake finds this package by its name, and takes it where a profile has `logger: [imagenet-prep]`. Every start of
snakemake imports it, before it is known which clone's workflow will be read. So it imports nothing of the library, and
says all that Snakemake says, until the workflow gives it a terminal (`imagenet_prep.console.terminal`). Where Snakemake
ends with an error before that, no workflow will be read any more, and what the library knows of such errors is said.
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
        terminal: what is told of every record, and says which are worth a line; None until `show_on` was called.
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
        """Whether somebody looks for a fault, with --verbose or --debug-dag."""
        return self.common_settings.verbose or self.common_settings.debug_dag

    def show_on(self, terminal: Any) -> None:
        """Tell this terminal of all that follows."""
        self.terminal = terminal

    def handle(self, record: logging.LogRecord) -> bool:
        """Tell the terminal of a record, also of one that --quiet keeps from being said."""
        try:
            if self.terminal is not None:
                self.terminal.follow(record)
            elif hasattr(record, "exception"):
                self._say_error(record)
                return True
            return bool(super().handle(record))
        except Exception:  # as all handlers do: a record that cannot be shown must not be the last one that is
            self.handleError(record)
            return False

    def emit(self, record: logging.LogRecord) -> None:
        """Say it, in Snakemake's words."""
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
    """For a run whose terminal is closed (`2>&-`).

    Its number is given back to nobody: the next file would have it, and all that jobs print would go in there.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    return open(os.devnull, "w")
