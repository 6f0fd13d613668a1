"""Hands what Snakemake says on to the workflow, which knows what of it is worth a line on the terminal.

Snakemake finds this package by its name, and takes it where a profile has `logger: [imagenet-prep]`. Every start of
snakemake imports it, before it is known which clone's workflow will be read. So it imports nothing of the library, and
says all that Snakemake says, until the workflow gives it a terminal (`imagenet_prep.console.terminal`).
"""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import Any

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
        self.stream = sys.stdout if self.common_settings.stdout else sys.stderr

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
        with contextlib.suppress(OSError, ValueError):  # a terminal that was closed must not end the run
            print(text, file=self.stream, flush=True)

    def close(self) -> None:
        """End with the last lines of the run; Snakemake has said everything by now."""
        if self.terminal is not None:
            terminal, self.terminal = self.terminal, None
            terminal.close()
        super().close()
