"""The one error of this project: a line, whatever it is about."""

from __future__ import annotations

import errno
import pickle

import pytest

from imagenet_prep.errors import Described, PrepError, reading


def test_what_a_terminal_would_obey_is_written_out() -> None:
    error = PrepError("a\x1b[2Jb", "it says 'x\ny\udcff'", "Mend it", member="c\rd", offset=3)
    assert str(error) == r"a\x1b[2Jb, member 'c\rd', byte 3: it says 'x\ny\udcff'. Mend it."


def test_a_list_of_problems_keeps_its_lines() -> None:
    assert str(PrepError("configuration", "2 problems\n  one\n  two", "Mend them")).count("\n") == 2


def test_a_line_that_was_said_is_said_again_as_it_was_in_another_process_too() -> None:
    line = "a.tar, byte 7: it is cut off. Get it again."
    error = pickle.loads(pickle.dumps(Described(line)))
    assert isinstance(error, PrepError)
    assert str(error) == line


def test_an_error_of_a_broken_disk_names_the_file_that_was_read() -> None:
    with pytest.raises(OSError, match="Input/output") as caught, reading("archive.tar"):
        raise OSError(errno.EIO, "Input/output error")
    assert caught.value.filename == "archive.tar"


def test_an_error_that_names_its_file_keeps_it() -> None:
    with pytest.raises(FileNotFoundError) as caught, reading("archive.tar"):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "another")
    assert caught.value.filename == "another"
