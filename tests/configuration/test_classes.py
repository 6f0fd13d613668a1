"""The classes that a configuration names, in a list or in a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configuration.official import overlaid
from imagenet_prep.configuration import complete


def test_classes_of_a_file_may_have_comments_and_empty_lines(tmp_path: Path) -> None:
    (tmp_path / "foxes.txt").write_text("# foxes\nn02119789  # kit fox\n\nn02119022\n", encoding="utf-8")
    assert complete(overlaid({"classes": "foxes.txt"}), tmp_path)["classes"] == ["n02119022", "n02119789"]


@given(st.lists(st.from_regex(r"n[0-9]{8}", fullmatch=True), min_size=1, unique=True))
@settings(deadline=None)
def test_the_order_in_which_classes_are_named_does_not_matter(wnids: list[str]) -> None:
    assert complete(overlaid({"classes": wnids}), Path())["classes"] == sorted(wnids)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (["n02119789", "n02119789"], "n02119789 is named twice"),
        (["02119789"], '"02119789" is not allowed here. Write a WNID'),
        ([], "[] is empty"),
        ("n02119789", "Write it as a list: [n02119789]"),
        ("nowhere.txt", "nowhere.txt cannot be read: No such file or directory"),
        (".", "cannot be read: Is a directory"),
    ],
)
def test_classes_that_cannot_be_meant_are_refused(refusal: Callable[..., str], classes: object, words: str) -> None:
    message = refusal({"classes": classes})
    assert message.startswith("configuration key classes: ")
    assert words in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"n02119789\nkit fox\n", '"kit fox" in line 2 of'),
        (b"n02119789\n#\nn02119789\n", "n02119789 in line 3 of"),
        (b"# nothing\n", "names no class"),
        (b"\xff\xfe\x00", "not a text file"),
    ],
)
def test_a_bad_classes_file_is_refused(refusal: Callable[..., str], tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "classes.txt").write_bytes(content)
    message = refusal({"classes": "classes.txt"})
    assert words in message
    assert "classes.txt" in message
