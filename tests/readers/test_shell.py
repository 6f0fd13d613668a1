"""GNU's tools read the archives and the checksums."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pandas as pd
import pytest

from readers.reading import Reading
from readers.snippets import run_in_shell


@pytest.fixture
def outside(reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to write into, with the results in it."""
    (tmp_path / "results").symlink_to(reading.project.results)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(reading: Reading) -> pd.DataFrame:
    """Some images of every kind."""
    table = pd.read_parquet(reading.project.results / "tables" / "images.parquet").query("split == @reading.split")
    return table.groupby(["colorspace", "format"]).head(20)


def test_dd_cuts_an_image_out_by_its_byte_range(reading: Reading, outside: Path) -> None:
    for row in rows(reading).to_dict("records"):
        run_in_shell("dd", archive=row["archive"], offset=row["offset"], length=row["length"])
        assert (outside / "image.jpeg").read_bytes() == gnu_tar(reading, row), row["filename"]


def gnu_tar(reading: Reading, row: dict) -> bytes:
    """The image as GNU tar extracts it by its name."""
    if reading.split == "train":
        run_in_shell("tar", wnid=row["wnid"], filename=row["filename"])
        return Path("image.jpeg").read_bytes()
    command = ["tar", "--extract", "--to-stdout", "--file", f"results/archives/{row['archive']}", row["filename"]]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def test_sha256sum_finds_every_file_as_it_was_published(reading: Reading, outside: Path) -> None:
    run_in_shell("sha256sum")
