"""A few of the inputs of the soak that nobody has to forge, at every run others, and all that ever did harm."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from builders import is_one_line
from faults.hostile import attack
from faults.hostile_readers import READERS
from imagenet_prep.errors import PrepError

CORPUS = Path(__file__).with_name("corpus")


@pytest.mark.parametrize("name", [name for name, reader in READERS.items() if not reader.forged])
def test_a_reader_raises_its_own_errors_and_no_others(name: str) -> None:
    first = int.from_bytes(os.urandom(2), "big")
    assert attack(name, 60, first, bombs=False).faults == [], f"--seed {first}"


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*/*")), ids=lambda path: path.name)
def test_what_once_did_harm_does_none_now(path: Path, tmp_path: Path) -> None:
    reader = READERS[path.parent.name]
    try:
        with contextlib.suppress(*(kind for kind in reader.errors if kind is not PrepError)):
            reader.read(path.read_bytes(), tmp_path)
    except PrepError as error:
        assert is_one_line(error)


def test_a_bomb_in_a_configuration_does_no_harm() -> None:
    assert attack("configuration", 1, 0).faults == []
