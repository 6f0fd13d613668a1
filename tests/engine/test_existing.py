"""What lies there of the archives, and where the others go: foreseen as it then happens, whatever may be written to."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import imagenet_prep
from builders import tar
from engine.findings import VAL, put
from imagenet_prep import configuration
from imagenet_prep.engine import archive_paths, existing
from imagenet_prep.engine.space import ARCHIVE, Existing, needs
from imagenet_prep.products.registry import SPLIT_PRODUCTS

CONTENT = b"what has come"
LOOK = """
import json, sys
from imagenet_prep.engine.existing import look
from imagenet_prep.products.registry import SPLIT_PRODUCTS
found = look(json.loads(sys.argv[1]), SPLIT_PRODUCTS)
print(json.dumps([str(found.places["val"]), found.downloaded["val"]]))
"""
PROBLEMS = """
import json, sys
from imagenet_prep.engine import archive_table
config = json.loads(sys.argv[1])
seen = archive_table.look(config, ["val"])
archive_table.as_table(config, seen)
print(json.dumps([str(it) for it in archive_table.problems(config, seen)]))
"""
FETCH = """
import json, os, sys
from pathlib import Path
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.archive_paths import link_of
from imagenet_prep.engine.fetch import find_or_fetch
config = json.loads(sys.argv[1])
config["download"]["local"] = "copy"
find_or_fetch(config, "val", Expected())
print(json.dumps(os.path.realpath(link_of(config, "val"))))
"""


def look(config: dict[str, Any]) -> Existing:
    return existing.look(config, SPLIT_PRODUCTS)


@pytest.fixture
def spare(tmp_path: Path) -> Path:
    return tmp_path / "results" / "downloads"


def configured(checkout: Path, folder: Path, **changes: Any) -> dict[str, Any]:
    """The official configuration with archives in a folder, two of them in use, one with other settings."""
    config = yaml.safe_load((checkout / "config" / "config.yaml").read_text())
    config |= {"archives_dir": str(folder), "output_dir": str(folder.parent / "results"), "use": ["val", "devkit"]}
    config["archives"] = {"val": changes}
    return configuration.complete(config | {"products": ["labels"]}, checkout)


def as_anybody(program: str, config: dict[str, Any], spare: Path) -> Any:
    """What a program prints that is run by whoever runs the tests, but without the rights of root."""
    # The modes of files mean nothing to root, unless it gives up the right to pass over them.
    bound = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    run = subprocess.run(
        [*bound, sys.executable, "-c", program, json.dumps(config), str(spare)],
        env={**os.environ, "PYTHONPATH": str(Path(imagenet_prep.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize(
    ("parts", "is_spare"), [((), False), (("spare",), True), (("own",), False), (("own", "spare"), False)]
)
def test_a_download_goes_on_where_it_was_begun(
    checkout: Path, folder: Path, spare: Path, parts: tuple[str, ...], is_spare: bool
) -> None:
    for part in parts:
        put({"own": folder, "spare": spare}[part] / f"{VAL}.part", CONTENT)
    place = spare if is_spare else folder
    config = configured(checkout, folder)
    assert archive_paths.place_of(config, "val") == place / VAL
    found = look(config)
    assert found.places["val"] == place
    assert (found.downloaded["val"] > 0) is bool(parts)


def test_a_download_in_a_folder_read_only_now_is_foreseen(checkout: Path, folder: Path, spare: Path) -> None:
    put(folder / f"{VAL}.part", CONTENT)
    folder.chmod(0o555)
    elsewhere = put(folder.parent / "elsewhere", CONTENT)
    config = configured(checkout, folder, url=elsewhere.as_uri(), bytes=None, md5=None)
    foreseen, downloaded = as_anybody(LOOK, config, spare)
    assert as_anybody(FETCH, config, spare) == f"{foreseen}/{VAL}" == str(spare / VAL)
    assert downloaded == 0


def test_archives_of_a_hidden_folder_go_to_the_spare_one(checkout: Path, folder: Path, spare: Path) -> None:
    below = folder / "below"
    below.mkdir()
    folder.chmod(0)
    elsewhere = put(folder.parent / "elsewhere", tar({"ILSVRC2012_val_00000001.JPEG": b"x"}))
    config = configured(checkout, folder, url=elsewhere.as_uri(), bytes=None, md5=None)
    config["archives_dir"] = str(below)
    assert as_anybody(PROBLEMS, config, spare) == []
    assert as_anybody(LOOK, config, spare) == [str(spare), 0]
    assert as_anybody(FETCH, config, spare) == str(spare / VAL)


def test_a_file_url_that_is_none_names_nothing(checkout: Path, folder: Path) -> None:
    found = look(configured(checkout, folder, url=["file://[bad/val.tar", "file:///nowhere/val.tar"]))
    assert "val" not in found.archives


def test_a_file_that_a_download_kept_aside_is_not_counted(checkout: Path, folder: Path) -> None:
    size = configured(checkout, folder)["archives"]["val"]["bytes"]
    bad = put(folder / f"{VAL}.bad-0123abcd")
    os.truncate(bad, size)
    assert "val" not in look(configured(checkout, folder)).archives


def test_what_is_to_be_packed_goes_below_output_dir_and_needs_the_space_of_the_archive(
    checkout: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "archives"
    put(folder / f"{VAL}.gz", gzip.compress(tar({"val/ILSVRC2012_val_00000001.JPEG": b"x"})))
    config = configured(checkout, folder, md5=None, bytes=5_000_000)
    packed = tmp_path / "results" / "packed"
    there = look(config)
    assert "val" not in there.archives
    assert there.places["val"] == packed
    (need,) = needs(config, SPLIT_PRODUCTS, there, [(ARCHIVE, "val")])
    assert (need.path, need.nbytes) == (packed, 5_000_000)
    put(packed / f"{VAL}.part", bytes(4096))
    assert look(config).downloaded["val"] == 4096


def test_a_folder_in_place_of_an_archive_counts_as_large_as_that(checkout: Path, tmp_path: Path) -> None:
    put(tmp_path / "archives" / "val" / "n01440764" / "ILSVRC2012_val_00000001.JPEG")
    config = configured(checkout, tmp_path / "archives")
    assert look(config).archives["val"] == config["archives"]["val"]["bytes"]
