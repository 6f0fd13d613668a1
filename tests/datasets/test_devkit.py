"""The devkit: what is read from it, and what is refused."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from imagenet_prep.datasets import devkit
from imagenet_prep.errors import PrepError

FIELDS = ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images")
META = "kit/data/meta.mat"
TRUTH = "kit/data/ILSVRC2012_validation_ground_truth.txt"


def synset(number: int, children: Any = (), **changes: Any) -> dict[str, Any]:
    """A record of meta.mat as the real one holds it; `changes` make it odd."""
    record = {
        "ILSVRC2012_ID": number,
        "WNID": f"n{number:08}",
        "words": f"thing {number}, thingy",
        "gloss": "something",
        "num_children": len(np.atleast_1d(children)),
        "children": np.array(children, dtype=np.uint16),
        "wordnet_height": 0 if len(np.atleast_1d(children)) == 0 else 1,
        "num_train_images": 1300 if len(np.atleast_1d(children)) == 0 else 0,
    }
    return {**record, **changes}


TWO_FOXES = [synset(1), synset(2), synset(3, [1, 2])]


def meta_mat(records: list[dict[str, Any]], *, fields: tuple[str, ...] = FIELDS, variable: str = "synsets") -> bytes:
    array = np.empty((len(records), 1), dtype=[(field, object) for field in fields])
    for i, record in enumerate(records):
        array[i, 0] = tuple(record[field] for field in fields)
    file = io.BytesIO()
    scipy.io.savemat(file, {variable: array}, do_compression=True)
    return file.getvalue()


def archive(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "devkit.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def kit(folder: Path, records: list[dict[str, Any]] = TWO_FOXES, truth: bytes = b"1\n2\n2\n") -> Path:
    return archive(folder, {"kit/readme.txt": b"hello", META: meta_mat(records), TRUTH: truth})


def test_synsets_come_by_id_with_their_children(tmp_path: Path) -> None:
    table = devkit.read_devkit(kit(tmp_path, [synset(3, [2, 1]), synset(1), synset(2)])).synsets
    assert table.schema == devkit.SYNSETS
    assert table["ilsvrc2012_id"].to_pylist() == [1, 2, 3]
    assert table["children"].to_pylist() == [[], [], [2, 1]]
    assert table["num_train_images"].to_pylist() == [1300, 1300, 0]


def test_a_single_child_and_a_single_synset_survive_squeezing(tmp_path: Path) -> None:
    chain = devkit.read_devkit(kit(tmp_path, [synset(1), synset(2, [1])], b"1")).synsets
    assert chain["children"].to_pylist() == [[], [1]]
    alone = devkit.read_devkit(kit(tmp_path, [synset(1)], b"1")).synsets
    assert alone["wnid"].to_pylist() == ["n00000001"]


def test_whole_numbers_stored_as_doubles_are_whole_numbers(tmp_path: Path) -> None:
    records = [synset(1, num_train_images=732.0), synset(2, np.array([1.0]), ILSVRC2012_ID=2.0)]
    table = devkit.read_devkit(kit(tmp_path, records, b"1")).synsets
    assert table["num_train_images"].to_pylist() == [732, 0]
    assert table["children"].to_pylist() == [[], [1]]


def test_an_empty_gloss_is_an_empty_string(tmp_path: Path) -> None:
    assert devkit.read_devkit(kit(tmp_path, [synset(1, gloss="")], b"1")).synsets["gloss"].to_pylist() == [""]


@pytest.mark.parametrize("truth", [b"1\n2\n2", b"1\n2\n2\n", b"1\r\n2\r\n2\r\n"])
def test_the_last_line_of_the_ground_truth_may_have_its_newline_or_not(tmp_path: Path, truth: bytes) -> None:
    labels = devkit.read_devkit(kit(tmp_path, truth=truth)).ground_truth
    assert labels.dtype == np.int32
    assert labels.tolist() == [1, 2, 2]


def test_what_was_written_loads_equal_and_is_written_in_the_same_bytes(tmp_path: Path) -> None:
    read = devkit.read_devkit(kit(tmp_path))
    paths = [(tmp_path / f"{i}/split=1/synsets.parquet", tmp_path / f"{i}/truth.parquet") for i in range(2)]
    for synsets, truth in paths:
        devkit.write_devkit(read, synsets, truth)
    loaded = devkit.load_devkit(*paths[0])
    assert loaded.synsets.equals(read.synsets)
    assert loaded.ground_truth.tolist() == read.ground_truth.tolist()
    assert [p.read_bytes() for p in paths[0]] == [p.read_bytes() for p in paths[1]]


@pytest.mark.parametrize("damage", [lambda b: b[:-20], lambda b: b"", lambda b: b"PAR1" + bytes(100)])
def test_a_damaged_table_is_an_error_that_names_it(tmp_path: Path, damage: Any) -> None:
    synsets, truth = tmp_path / "synsets.parquet", tmp_path / "truth.parquet"
    devkit.write_devkit(devkit.read_devkit(kit(tmp_path)), synsets, truth)
    synsets.write_bytes(damage(synsets.read_bytes()))
    with pytest.raises(PrepError, match=r"synsets\.parquet.*Delete it"):
        devkit.load_devkit(synsets, truth)


def test_a_table_of_another_kind_is_an_error(tmp_path: Path) -> None:
    synsets, truth = tmp_path / "synsets.parquet", tmp_path / "truth.parquet"
    devkit.write_devkit(devkit.read_devkit(kit(tmp_path)), synsets, truth)
    with pytest.raises(PrepError, match="columns are not the ones expected"):
        devkit.load_devkit(truth, synsets)


def fails(path: Path) -> PrepError:
    with pytest.raises(PrepError) as caught:
        devkit.read_devkit(path)
    assert "\n" not in str(caught.value)
    assert caught.value.place == str(path)
    return caught.value


@pytest.mark.parametrize("missing", [META, TRUTH])
def test_a_missing_member_is_an_error_that_names_it(tmp_path: Path, missing: str) -> None:
    members = {META: meta_mat(TWO_FOXES), TRUTH: b"1\n"}
    del members[missing]
    assert missing.removeprefix("kit/") in fails(archive(tmp_path, members)).problem


def test_a_member_in_two_folders_is_an_error(tmp_path: Path) -> None:
    mat = meta_mat(TWO_FOXES)
    error = fails(archive(tmp_path, {META: mat, "old/data/meta.mat": mat, TRUTH: b"1\n"}))
    assert error.member == "old/data/meta.mat"
    assert META in error.problem


def test_a_member_whose_name_only_ends_alike_is_not_taken(tmp_path: Path) -> None:
    assert "no data/meta.mat" in fails(archive(tmp_path, {"kit/mydata/meta.mat": b"", TRUTH: b"1\n"})).problem


def test_a_meta_mat_of_more_than_16_mib_is_not_read(tmp_path: Path) -> None:
    assert fails(archive(tmp_path, {META: bytes((16 << 20) + 1), TRUTH: b"1\n"})).member == META


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>not found</html>" * 100,
        bytes(1000),
        meta_mat(TWO_FOXES)[:-30],
        meta_mat(TWO_FOXES)[:200],
        b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\x89HDF\r\n\x1a\n" + bytes(500),
    ],
    ids=["empty", "web page", "zeros", "cut off", "cut off early", "HDF5"],
)
def test_a_meta_mat_that_is_none_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    assert fails(archive(tmp_path, {META: content, TRUTH: b"1\n"})).member == META


def test_a_flipped_bit_is_an_error_or_still_a_devkit(tmp_path: Path) -> None:
    content = meta_mat(TWO_FOXES)
    for position in range(124, len(content), 7):
        broken = bytearray(content)
        broken[position] ^= 0x10
        path = archive(tmp_path, {META: bytes(broken), TRUTH: b"1\n"})
        try:
            assert devkit.read_devkit(path).synsets.num_rows == 3
        except PrepError as error:
            assert error.member == META


def test_another_variable_is_an_error(tmp_path: Path) -> None:
    error = fails(archive(tmp_path, {META: meta_mat(TWO_FOXES, variable="other"), TRUTH: b"1\n"}))
    assert "`synsets`" in error.problem


def test_a_variable_that_is_no_list_of_structures_is_an_error(tmp_path: Path) -> None:
    for value in (np.eye(3), "text", np.array([[1, "a"]], dtype=object)):
        file = io.BytesIO()
        scipy.io.savemat(file, {"synsets": value}, do_compression=True)
        assert "`synsets`" in fails(archive(tmp_path, {META: file.getvalue(), TRUTH: b"1\n"})).problem


def test_a_missing_field_is_an_error_that_names_it(tmp_path: Path) -> None:
    error = fails(archive(tmp_path, {META: meta_mat(TWO_FOXES, fields=FIELDS[:-1]), TRUTH: b"1\n"}))
    assert "num_train_images" in error.problem


@pytest.mark.parametrize(
    ("records", "problem"),
    [
        ([], "not 1 to 0"),
        ([synset(1), synset(3, [1])], "not 1 to 2"),
        ([synset(1), synset(1, WNID="n00000009")], "not 1 to 2"),
        ([synset(0)], "not 1 to 1"),
        ([synset(1, ILSVRC2012_ID="one")], "ILSVRC2012_ID holds 'one'"),
        ([synset(1, ILSVRC2012_ID=1.5)], "ILSVRC2012_ID holds 1.5"),
        ([synset(1, ILSVRC2012_ID=[1, 2])], "ILSVRC2012_ID holds array"),
        ([synset(1, num_train_images=-1)], "num_train_images holds -1"),
        ([synset(1, num_train_images=np.inf)], "num_train_images holds inf"),
        ([synset(1, num_train_images=2**31)], "num_train_images holds 2147483648"),
        ([synset(1, wordnet_height={"a": 1})], "wordnet_height"),
        ([synset(1), synset(2, [1], WNID="n00000001")], "n00000001 is there twice"),
        ([synset(1, WNID="02119789")], "not n and eight digits"),
        ([synset(1, WNID="n0211978")], "not n and eight digits"),
        ([synset(1, WNID=7)], "WNID holds 7"),
        ([synset(1, words="")], "words is empty"),
        ([synset(1, words="kit\nfox")], "not a line of text"),
        ([synset(1), synset(2, [1], num_children=2)], "num_children is 2"),
        ([synset(1), synset(2, [[1, 1], [1, 1]], num_children=2)], "dimensions"),
        ([synset(1), synset(2, [1, 3])], "n00000002 has a child that is no"),
        ([synset(1), synset(2, [0, 1])], "n00000002 has a child that is no"),
        ([synset(1), synset(2, [1, 1])], "child twice"),
        ([synset(1, [2]), synset(2, [1])], "no synset is without children"),
        ([synset(1, [2]), synset(2)], "not the ones with the first IDs"),
        ([synset(1), synset(2)], "not one root"),
        ([synset(1), synset(2, [1, 3]), synset(3, [2])], "circle"),
        ([synset(1), synset(2, [1, 3]), synset(3, [4]), synset(4, [3]), synset(5, [2])], "circle"),
        ([synset(1), *(synset(i, [i - 1]) for i in range(2, 150))], "149 synsets high"),
        ([synset(1), synset(2), synset(3, [1, 2]), synset(4, [1, 2])], "not one root"),
    ],
)
def test_synsets_that_cannot_be_are_an_error(tmp_path: Path, records: list[dict[str, Any]], problem: str) -> None:
    error = fails(kit(tmp_path, records, b"1\n"))
    assert error.member == META
    assert problem in error.problem


def test_a_hierarchy_of_exponentially_many_paths_is_refused(tmp_path: Path) -> None:
    diamonds = [synset(1)]
    bottom = 1
    for _ in range(30):
        left, right, top = (len(diamonds) + i for i in (1, 2, 3))
        diamonds += [synset(left, [bottom]), synset(right, [bottom]), synset(top, [left, right])]
        bottom = top
    assert "too many paths" in fails(kit(tmp_path, diamonds, b"1\n")).problem


@pytest.mark.parametrize(
    ("truth", "problem"),
    [
        (b"", "empty"),
        (b"\n", "line 1"),
        (b"1\n2\n3\n", "line 3 is '3'"),
        (b"0\n", "line 1 is '0'"),
        (b"1\n\n2\n", "line 2 is ''"),
        (b"1\nfox\n", "line 2 is 'fox'"),
        (b"1\n1.0\n", "line 2"),
        (b"1\n-1\n", "line 2"),
        ("1\n\N{FULLWIDTH DIGIT TWO}\n".encode(), "line 2"),
        (b"1\n" + b"9" * 10000 + b"\n", "line 2"),
    ],
)
def test_a_line_that_is_no_class_is_an_error_that_names_it(tmp_path: Path, truth: bytes, problem: str) -> None:
    error = fails(kit(tmp_path, truth=truth))
    assert error.member == TRUTH
    assert problem in error.problem


def test_the_real_devkit(shared_data: Path) -> None:
    real = devkit.read_devkit(shared_data / "devkit" / "ILSVRC2012_devkit_t12.tar.gz")
    rows = real.synsets.to_pylist()
    assert len(rows) == 1860
    assert [row["ilsvrc2012_id"] for row in rows if not row["children"]] == list(range(1, 1001))
    assert rows[0]["wnid"] == "n02119789"
    assert rows[0]["words"] == "kit fox, Vulpes macrotis"
    assert rows[1000]["words"] == "entity"
    assert sum(row["num_train_images"] for row in rows) == 1281167
    assert real.ground_truth.shape == (50000,)
    assert real.ground_truth[:3].tolist() == [490, 361, 171]
    assert np.bincount(real.ground_truth)[1:].tolist() == [50] * 1000
