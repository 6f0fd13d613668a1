"""Files appear whole or not at all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import builders
from imagenet_prep import atomic


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    with atomic.replacing(path) as partial:
        partial.write_text("half")
        assert not path.exists()
    assert builders.files_below(tmp_path) == {"new/folder/file"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("written", [True, False])
def test_a_failure_leaves_the_earlier_file_alone(tmp_path: Path, error: type[BaseException], written: bool) -> None:
    path = tmp_path / "file"
    path.write_text("earlier")
    with pytest.raises(error), atomic.replacing(path) as partial:
        if written:
            partial.write_text("half")
        raise error
    assert builders.files_below(tmp_path) == {"file"}
    assert path.read_text() == "earlier"


def test_a_partial_file_is_hidden_and_lies_beside_its_place() -> None:
    partial = atomic.partial_path("a/shard")
    assert partial.parent == Path("a")
    assert partial.name.startswith(".shard.")
    assert partial.suffix == ".partial"


@pytest.mark.parametrize("different", ["os.getpid", "socket.gethostname"])
def test_no_two_processes_write_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, different: str) -> None:
    path = tmp_path / "file"
    with atomic.replacing(path) as ours:
        ours.write_text("half of it, ")
        with monkeypatch.context() as other:
            other.setattr(different, lambda: "another")
            atomic.write_text(path, "half of it, and the rest")
        assert path.read_text() == "half of it, and the rest"
        ours.write_text("half of it, and the rest")
    assert path.read_text() == "half of it, and the rest"
    assert builders.files_below(tmp_path) == {"file"}


def test_leftovers_of_killed_processes_are_removed_and_those_of_the_living_stay(tmp_path: Path) -> None:
    killed = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    killed.kill()
    killed.wait()
    living = atomic.partial_path(tmp_path / "file")
    elsewhere = tmp_path / f".file.elsewhere-{killed.pid}.partial"
    left = living.with_name(living.name.replace(str(os.getpid()), str(killed.pid)))
    for path in (living, elsewhere, left):
        path.touch()
    atomic.remove_leftovers(tmp_path / "file")
    assert builders.files_below(tmp_path) == {living.name, elsewhere.name}


def test_text_is_utf_8_with_plain_line_ends(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "file", "ü\n")
    assert (tmp_path / "file").read_bytes() == b"\xc3\xbc\n"


def test_json_keeps_the_order_of_its_keys(tmp_path: Path) -> None:
    atomic.write_json(tmp_path / "file", {"b": 1, "a": ["ü"]})
    assert (tmp_path / "file").read_text() == '{\n "b": 1,\n "a": [\n  "ü"\n ]\n}\n'


def test_the_checksum_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert atomic.sha256(tmp_path / "file") == hashlib.sha256(b"abc").hexdigest()
