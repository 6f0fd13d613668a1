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


FOXES = ["n02119022", "n02119789"]


@pytest.mark.parametrize(
    "content",
    [
        b"n02119789\nn02119022\n",
        b"n02119789\r\nn02119022\r\n",
        b"n02119789\rn02119022",
        b"\xef\xbb\xbfn02119789\r\nn02119022",
        "n02119789\r\nn02119022\r\n".encode("utf-16"),
        "\ufeffn02119789\nn02119022\n".encode("utf-16-be"),
        b"n02119789 kit fox, Vulpes macrotis\nn02119022 red fox, Vulpes vulpes\n",
        b"n02119789\tkit fox\n\n  n02119022\tred fox\n",
        b"0 n02119789 kit_fox\n1 n02119022 red_fox\n",
        b"wnid,words\nn02119789,kit fox\nn02119022,red fox\n",
        b"\xef\xbb\xbfwnid;words\r\nn02119789;kit fox\r\nn02119022;red fox\r\n",
        b'"class_index","wnid","words"\n278,"n02119789","kit fox, Vulpes macrotis"\n277,"n02119022","red fox"\n',
        b'"n02119789",\n"n02119022"\n',
        b"n02119789, n02119022\n",
        b"train/n02119789/\ntrain/n02119022/\n",
    ],
)
def test_classes_of_a_file_may_be_written_as_people_have_them(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "foxes").write_bytes(content)
    assert complete(overlaid({"classes": "foxes"}), tmp_path)["classes"] == FOXES


def test_the_workflow_s_own_list_of_classes_will_do(tmp_path: Path) -> None:
    columns = "class_index,wnid,ilsvrc2012_id,tf_label,words,num_train_images"
    rows = ['277,n02119022,1,278,"red fox, Vulpes vulpes",1300', "278,n02119789,2,279,kit fox,1300"]
    (tmp_path / "classes.csv").write_text("\n".join([columns, *rows]))
    (tmp_path / "wnid_to_index.txt").write_text("n02119022 277 red fox\nn02119789 278 kit fox, Vulpes macrotis\n")
    for name in ("classes.csv", "wnid_to_index.txt"):
        assert complete(overlaid({"classes": name}), tmp_path)["classes"] == FOXES


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
        (b"wnid\nn0211978\n", '"n0211978" in line 2 of'),
        (b"n02119789_1.JPEG\n", '"n02119789_1.JPEG" in line 1 of'),
        (b"n02119789\nwnid,words\n", '"wnid,words" in line 2 of'),
        (b"wnid,words\n", "names no class"),
        (b"n02119789 and n02119022\n", "names several classes, and more"),
        (b"kit fox\nn02119789\n", '"kit fox" in line 1 of'),
    ],
)
def test_a_bad_classes_file_is_refused(refusal: Callable[..., str], tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "classes.txt").write_bytes(content)
    message = refusal({"classes": "classes.txt"})
    assert words in message
    assert "classes.txt" in message
