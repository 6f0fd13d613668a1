"""Tables between steps: found by the receipt of the step that made them, and read only as they were made."""

from __future__ import annotations

from pathlib import Path

import pytest

import builders
from engine.outputs import NEW, put, written
from imagenet_prep.datasets.devkit import Devkit, write_devkit
from imagenet_prep.engine.receipts import described, table
from imagenet_prep.engine.tables import GROUND_TRUTH_TABLE, SYNSET_TABLE, devkit_of, synsets_of, table_of
from imagenet_prep.errors import PrepError


@pytest.fixture
def receipt(tmp_path: Path) -> Path:
    """The receipt of a table of images."""
    path = put(tmp_path, "images", "train")
    made = described(tmp_path, [written(table(path), "a table")])
    return put(tmp_path, "images", "train", files=made)


def test_a_table_is_found_by_its_receipt(receipt: Path) -> None:
    assert table_of(str(receipt)).read_text() == "a table"


def test_a_changed_table_is_an_error(receipt: Path) -> None:
    table(receipt).write_text("a tuble")
    with pytest.raises(PrepError, match="not as it was made"):
        table_of(str(receipt))


@pytest.fixture
def devkit(tmp_path: Path) -> str:
    """The receipt of a devkit's tables."""
    receipt = tmp_path / "state" / "devkit" / f"all.{NEW}.1.json"
    tables = [table(receipt, SYNSET_TABLE), table(receipt, GROUND_TRUTH_TABLE)]
    write_devkit(Devkit(builders.synsets(), builders.TRUTH), *tables)
    return str(put(tmp_path, "devkit", "all", NEW, files=described(tmp_path, tables)))


def test_a_devkit_is_read_by_its_receipt(devkit: str) -> None:
    assert synsets_of(devkit).equals(builders.synsets())
    assert devkit_of(devkit).ground_truth.tolist() == builders.TRUTH.tolist()


@pytest.mark.parametrize("kind", [SYNSET_TABLE, GROUND_TRUTH_TABLE])
def test_a_devkit_with_a_changed_table_is_an_error(devkit: str, kind: str) -> None:
    changed = table(devkit, kind)
    changed.write_bytes(bytes(changed.stat().st_size))
    with pytest.raises(PrepError, match="not as it was made"):
        devkit_of(devkit)
