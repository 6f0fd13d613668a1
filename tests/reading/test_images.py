"""Images straight out of the archive: each sample is that of the tables, in any process, from any place."""

from __future__ import annotations

import functools
import multiprocessing
import os
import pickle
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from imagenet_prep.errors import PrepError
from imagenet_prep.reading import Images
from imagenet_prep.reading.archive import StoredArchive
from project import Project

SPLITS = ["train", "validation", "test", "train_t3"]


def rows(project: Project, split: str) -> pd.DataFrame:
    return pd.read_parquet(project.results / "tables" / "images.parquet").query("split == @split").reset_index()


def content(project: Project, row: Any) -> bytes:
    data: bytes = (project.results / "archives" / row.archive).read_bytes()
    return data[row.offset : row.offset + row.length]


@pytest.mark.parametrize("split", SPLITS)
def test_each_sample_has_the_bytes_and_the_class_of_its_row(finished: Project, split: str) -> None:
    images = Images(finished.results, split)
    wanted = rows(finished, split)
    assert len(images) == len(wanted)
    for number, row in enumerate(wanted.itertuples()):
        index = -1 if pd.isna(row.class_index) else int(row.class_index)
        assert images[number] == (content(finished, row), index)
        assert type(images[number][1]) is int
        assert images.filename(number) == row.filename


def test_boxes_are_the_usable_ones_of_the_image(finished: Project) -> None:
    images = Images(finished.results, "train", boxes=True)
    table = pd.read_parquet(finished.results / "tables" / "bboxes.parquet").query("split == 'train' and usable")
    of = {
        name: group[["xmin", "ymin", "xmax", "ymax"]].to_numpy(np.float32) for name, group in table.groupby("filename")
    }
    assert of
    for number in range(len(images)):
        *_, boxes = images[number]
        assert (boxes.dtype, boxes.shape[1:]) == (np.float32, (4,))
        assert np.array_equal(boxes, of.get(images.filename(number), np.zeros((0, 4), np.float32)))


def test_a_split_without_boxes_has_none_for_each_image(finished: Project) -> None:
    images = Images(finished.results, "test", boxes=True)
    assert [boxes.shape for *_, boxes in images] == [(0, 4)] * len(images)  # type: ignore[attr-defined]


def test_boxes_of_images_that_the_other_table_lacks_are_an_error(finished: Project, tmp_path: Path) -> None:
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "images.parquet").symlink_to(finished.results / "tables" / "images.parquet")
    boxes = pd.read_parquet(finished.results / "tables" / "bboxes.parquet")
    boxes.loc[boxes.usable & (boxes.split == "train"), "filename"] = "n00000000_1.JPEG"
    boxes.to_parquet(tables / "bboxes.parquet")
    with pytest.raises(PrepError, match="does not have"):
        Images(tmp_path, boxes=True, archive=next((finished.results / "archives").glob("*train.tar")))


def test_opening_imports_no_pandas_which_takes_longer_than_all_else(finished: Project) -> None:
    code = (
        "import sys; from imagenet_prep.reading import Images; "
        f"[Images({str(finished.results)!r}, split, boxes=True)[0] for split in {SPLITS}]; "
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_several_are_read_in_the_order_asked_for_and_transformed(finished: Project) -> None:
    images = Images(finished.results, transform=len)
    numbers = [5, 0, np.int64(7), -1, 5]
    assert images.__getitems__(numbers) == [images[number] for number in numbers]
    lengths = rows(finished, "train")["length"]
    assert [image for image, _ in images.__getitems__(numbers)] == [lengths.iloc[number] for number in numbers]
    assert images.__getitems__([]) == []


def test_iterating_ends_behind_the_last_and_other_numbers_are_errors(finished: Project) -> None:
    images = Images(finished.results, "validation")
    assert len(list(images)) == len(images)  # type: ignore[call-overload]
    for number in (len(images), -len(images) - 1):
        with pytest.raises(IndexError, match=str(number)):
            images[number]
    with pytest.raises(TypeError):
        images[0.5]  # type: ignore[index]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_read_the_same_at_the_same_time(finished: Project, method: str) -> None:
    images = Images(finished.results, transform=zlib.crc32)
    wanted = [images[number] for number in range(len(images))]
    with multiprocessing.get_context(method).Pool(3) as pool:
        assert pool.map(images.__getitem__, list(range(len(images))) * 3, chunksize=5) == wanted * 3


def test_a_pickle_takes_no_more_than_forty_bytes_an_image(finished: Project) -> None:
    images = Images(finished.results, boxes=True)
    images.filename(0)
    few, sizes = len(pickle.dumps(images)), [it.nbytes for it in images.__dict__.values() if isinstance(it, np.ndarray)]
    assert few < 40 * len(images) + 3000
    assert sum(sizes) <= 40 * len(images)
    assert pickle.loads(pickle.dumps(images))[3][:2] == images[3][:2]


def test_it_imports_neither_the_workflow_nor_torch_nor_a_client() -> None:
    code = "import sys, imagenet_prep.reading; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"snakemake", "torch", "fsspec", "crc32c", "yaml", "pandas", "jsonschema"}.isdisjoint(found)


def test_it_leaves_the_environment_of_the_training_as_it_is() -> None:
    code = "import os; before = {**os.environ}; import imagenet_prep.reading; assert {**os.environ} == before"
    env = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


# Other places of the archive


@pytest.fixture
def archive(finished: Project) -> Path:
    return finished.results / "archives" / rows(finished, "train")["archive"][0]


@pytest.mark.parametrize("form", ["path", "text", "file"])
def test_an_archive_may_lie_elsewhere(finished: Project, archive: Path, tmp_path: Path, form: str) -> None:
    copy = tmp_path / "copy.tar"
    copy.write_bytes(archive.read_bytes())
    place = {"path": copy, "text": str(copy), "file": f"file://{copy}"}[form]
    assert Images(finished.results, archive=place)[0] == Images(finished.results)[0]


@pytest.fixture
def requests(archive: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """An archive in memory, at memory://archive.tar, and the numbers of ranges of each request."""
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    system.pipe("/archive.tar", archive.read_bytes())
    asked: list[int] = []
    fetch = StoredArchive._fetch

    def counted(self: StoredArchive, ranges: Any) -> list[bytes]:
        asked.append(len(ranges))
        return fetch(self, ranges)

    monkeypatch.setattr(StoredArchive, "_fetch", counted)
    return asked


def test_one_at_an_address_is_read_in_few_requests_ahead_where_samples_follow_each_other(
    finished: Project, requests: list[int]
) -> None:
    images = Images(finished.results, archive="memory://archive.tar")
    assert [images[number] for number in range(len(images))] == list(Images(finished.results))  # type: ignore[call-overload]
    assert sum(requests) < len(images) / 3


def test_its_neighbours_are_read_by_one_request(finished: Project, requests: list[int]) -> None:
    images = Images(finished.results, archive="memory://archive.tar")
    numbers = list(range(len(images)))[::-1]
    assert images.__getitems__(numbers) == Images(finished.results).__getitems__(numbers)
    assert requests == [1]


def test_in_any_order_the_bytes_are_right(finished: Project, requests: list[int]) -> None:
    images, wanted = Images(finished.results, archive="memory://archive.tar"), Images(finished.results)
    order = [0, 1, 2, 9, 8, 3, 4, 4, 5, 30, 31, 32, 1, 2, 48, 47]
    assert [images[number] for number in order] == [wanted[number] for number in order]


# What is wrong is said in one line


def error(call: Any) -> str:
    with pytest.raises(PrepError) as caught:
        call()
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_a_split_that_is_not_in_the_table_is_named_with_those_that_are(own_finished: Project) -> None:
    said = error(lambda: Images(own_finished.results, "test"))
    assert "no split 'test'" in said
    assert "train, validation" in said


def test_a_table_that_is_missing_or_damaged_is_named(project: Project) -> None:
    table = project.results / "tables" / "images.parquet"
    file = pq.ParquetFile(table)
    column = file.metadata.row_group(0).column(file.schema_arrow.names.index("offset"))
    content = bytearray(table.read_bytes())
    content[column.data_page_offset + column.total_compressed_size // 2] ^= 1
    table.write_bytes(content)
    assert error(lambda: Images(project.results)[0]).startswith(f"{table}: the table is damaged")
    table.unlink()
    assert error(lambda: Images(project.results)).startswith(f"{table}: the table is missing")


def test_an_archive_that_is_gone_cut_off_or_another_one_is_named(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "other.tar"
    images = functools.partial(Images, project.results, archive=other)
    assert error(images).startswith(f"{other}: the archive cannot be opened (No such file")
    other.write_bytes(bytes(5000))
    assert error(images).startswith(f"{other}: it has 5000 bytes, and the last image of the table ends at")
    os.truncate(other, 100_000_000)
    name = Images(project.results).filename(2)
    said = error(lambda: images()[2])
    assert said.startswith(f"{other}, member '{name}', byte ")
    assert "another archive" in said


def test_one_that_is_cut_off_while_it_is_read_is_named(project: Project, archive: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.tar"
    copy.write_bytes(archive.read_bytes())
    images = Images(project.results, archive=copy)
    os.truncate(copy, 2000)
    assert error(lambda: images[20]).startswith(f"{copy}, byte ")


def test_an_address_that_nobody_knows_is_named_without_what_is_secret(finished: Project) -> None:
    pytest.importorskip("fsspec")
    said = error(lambda: Images(finished.results, archive="nothing://me:secret@host/a.tar?token=secret"))
    assert said.startswith("nothing://host/a.tar: fsspec does not know how to read it")
    assert "secret" not in said


def test_an_address_where_nothing_lies_is_named(finished: Project) -> None:
    pytest.importorskip("fsspec")
    assert "memory://nothing.tar: the archive is not there" in error(
        lambda: Images(finished.results, archive="memory://nothing.tar")
    )
