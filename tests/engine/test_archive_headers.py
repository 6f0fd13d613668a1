"""Whether the headers of an archive begin with the file names of its images."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

import builders
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.archive_headers import NOTES, ODD_HEADER, find_odd, noted, odd_header
from imagenet_prep.engine.receipts import ARCHIVES
from imagenet_prep.engine.scan import scan
from imagenet_prep.formats import parquet

NAME = "ILSVRC2012_val_00000001.JPEG"
WNID = builders.FOX


def folder(name: str) -> bytes:
    return builders.header(name, kind=b"5")


def nested(image: str, **how: Any) -> bytes:
    return builders.tar({f"{WNID}.tar": builders.tar({image: builders.image()}, **how)})


FLAT = builders.tar({NAME: builders.image()})
CASES = {
    "plain": ("val", FLAT, None),
    "dot": ("val", builders.tar({f"./{NAME}": builders.image()}), NAME),
    "folder": ("val", builders.tar({f"val/{NAME}": builders.image()}), f"val/{NAME}"),
    "folder with an entry": ("val", folder("val/") + builders.tar({f"val/{NAME}": builders.image()}), f"val/{NAME}"),
    "entry of another folder": ("val", folder("other/") + FLAT, None),
    "pax": ("val", builders.tar({f"{'é' * 200}/{NAME}": builders.image()}, tarfile.PAX_FORMAT), f"{'é' * 200}/{NAME}"),
    "GNU long name": ("val", builders.tar({f"{'d' * 120}/{NAME}": builders.image()}), f"{'d' * 120}/{NAME}"),
    "ustar prefix": (
        "val",
        builders.tar({f"{'d' * 120}/{NAME}": builders.image()}, tarfile.USTAR_FORMAT),
        f"{'d' * 120}/{NAME}",
    ),
    "nested": ("train", nested(f"{WNID}_1.JPEG"), None),
    "nested, dot": ("train", nested(f"./{WNID}_1.JPEG"), f"{WNID}.tar/{WNID}_1.JPEG"),
    "nested in a dot": (
        "train",
        builders.tar({f"./{WNID}.tar": builders.tar({f"{WNID}_1.JPEG": builders.image()})}),
        None,
    ),
}


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    archives = {name: {"file": f"{name}.tar"} for name in ILSVRC2012.archives}
    folders = {"output_dir": str(tmp_path / "out"), "archives_dir": str(tmp_path)}
    return {**folders, "archives": archives, "synthetic": None}


def note(config: dict[str, Any], name: str, odd: str | None, stat: list[int]) -> None:
    receipt = Path(config["output_dir"], "state", ARCHIVES, f"{name}.0123456789.1.json")
    receipt.parent.mkdir(parents=True, exist_ok=True)
    receipt.write_text(json.dumps({"stat": stat, NOTES: {ODD_HEADER: odd}}))


@pytest.mark.parametrize(("name", "content", "odd"), CASES.values(), ids=CASES)
def test_the_scan_the_first_image_and_each_header_tell_the_same(
    name: str, content: bytes, odd: str | None, config: dict[str, Any], tmp_path: Path
) -> None:
    archive = tmp_path / f"{name}.tar"
    archive.write_bytes(content)
    assert scan(name, archive, Expected(), tmp_path / "scan", ILSVRC2012)[NOTES] == {ODD_HEADER: odd}
    assert bool(odd_header(config, name)) == bool(odd)
    images = parquet.read(tmp_path / "scan")
    filenames, offsets = images["filename"].to_pylist(), images["offset"].to_pylist()
    if "prefix" not in (odd or "") and "d" * 100 not in (odd or ""):
        assert bool(find_odd(archive, filenames, offsets)) == bool(odd)


def test_what_the_scan_found_counts_for_the_archive_as_it_was_scanned(config: dict[str, Any], tmp_path: Path) -> None:
    archive = tmp_path / "val.tar"
    archive.write_bytes(FLAT)
    note(config, "val", "x/y.JPEG", archive_paths.stat(archive))
    assert odd_header(config, "val") == "x/y.JPEG"
    note(config, "val", "x/y.JPEG", [1, 1])
    assert odd_header(config, "val") is None
    archive.unlink()
    assert odd_header(config, "val") == "x/y.JPEG"


def test_of_what_an_older_version_scanned_nothing_is_known(config: dict[str, Any]) -> None:
    receipt = Path(config["output_dir"], "state", ARCHIVES, "val.0123456789.1.json")
    receipt.parent.mkdir(parents=True)
    receipt.write_text(json.dumps({"stat": [1, 1]}))
    assert noted(config, "val") is None
    note(config, "val", None, [1, 1])
    assert noted(config, "val") == ""


@pytest.mark.parametrize("content", [b"", b"<html>", bytes(2048), FLAT[:100], folder("a/") * 3])
def test_what_is_no_archive_is_left_to_its_scan(content: bytes, config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "val.tar").write_bytes(content)
    assert odd_header(config, "val") is None
