"""The one error of this project: something a user can cause, and can mend."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike, fspath
from typing import Any

AGAIN = "Delete it and run the same command again: it is made anew"
"""What to do about a damaged file that the workflow makes and reads again."""

MISSING = "Run the same command again: it is made anew"
"""What to do about one that is not there."""


class PrepError(Exception):
    """A failure with a cause, a place and a remedy; its text is one line, made to be the last one on a terminal.

    Args:
        place: the file (or configuration key) that the failure is about.
        problem: what is wrong there, as a sentence without a full stop.
        remedy: what to do, as a sentence without a full stop.
        member: the name inside an archive, where there is one.
        offset: the byte offset in the file, where it is known.
    """

    def __init__(
        self,
        place: str | PathLike[str],
        problem: str,
        remedy: str,
        *,
        member: str | None = None,
        offset: int | None = None,
    ) -> None:
        self.place = fspath(place)
        self.problem = problem
        self.remedy = remedy
        self.member = member
        self.offset = offset
        where = [self.place]
        if member is not None:
            where.append(f"member {member!r}")
        if offset is not None:
            where.append(f"byte {offset}")
        super().__init__(_printable(f"{', '.join(where)}: {problem}. {remedy}."))

    # An exception with keyword arguments cannot cross a process pool without this.
    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.place, self.problem, self.remedy, self.member, self.offset)


class Described(PrepError):
    """A failure that another job has met and described; its text is that line."""

    def __init__(self, line: str) -> None:
        super().__init__("", "", "")
        self.args = (line,)

    def __reduce__(self) -> tuple[Any, ...]:
        return Described, self.args


@contextmanager
def reading(path: str | PathLike[str]) -> Iterator[None]:
    """Name the file in an error of the operating system that names none, as those of a broken disk do."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = fspath(path)
        raise


@contextmanager
def reading_again(path: str | PathLike[str]) -> Iterator[None]:
    """Name the file, and what to do, where the block finds that it is missing or holds something else.

    Raises:
        PrepError: the block raised `FileNotFoundError`, or `KeyError` or `ValueError` of what stands in the file.
    """
    try:
        yield
    except FileNotFoundError:
        raise PrepError(path, "the file is missing", MISSING) from None
    except (KeyError, ValueError) as error:
        raise PrepError(path, f"the file is damaged ({str(error).strip().splitlines()[0]})", AGAIN) from error


def _printable(text: str) -> str:
    """The text with what a terminal would not show, or would obey, written out; it may hold what a file said.

    Indented lines, as of a list of problems, stay.
    """
    return re.sub(r"\n(?!  )|[^\n]", lambda match: match[0] if match[0].isprintable() else ascii(match[0])[1:-1], text)


def _rebuild(place: str, problem: str, remedy: str, member: str | None, offset: int | None) -> PrepError:
    return PrepError(place, problem, remedy, member=member, offset=offset)
