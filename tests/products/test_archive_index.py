"""Index files of the archives: each entry leads to the bytes of its image, and to its class."""

from __future__ import annotations

import sqlite3
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

import builders
from imagenet_prep.errors import PrepError
from products.jobs import ARCHIVES, Jobs

Entry = tuple[bytes, bytes]
DALI, RATARMOUNT = "archive_index/dali/{}.idx", "archive_index/ratarmount/{}.index.sqlite"
IMAGES = {"train": builders.train_images(), "validation": builders.val_images()}
ARCHIVE = {"train": "train", "validation": "val"}


class World(Jobs):
    """Archives of both splits, and the indexes of one."""

    def index(self, split: str) -> None:
        self.images(split, IMAGES[split])
        self.make("archive_index", split, 0, 1)

    def archive(self, split: str) -> bytes:
        return (self.archives / ARCHIVES[ARCHIVE[split]]).read_bytes()

    def dali(self, split: str) -> list[Entry]:
        """Image and header of each sample, by the offsets of its index alone."""
        first, *lines = (self.output_dir / DALI.format(split)).read_text().splitlines()
        assert first == f"v1.2 {len(lines)}"
        found, archive = [], self.archive(split)
        for line in lines:
            _, offset, size, _, _, header, header_size, _ = line.split(" ")
            assert int(offset) % 512 == int(header) % 512 == 0
            image = archive[int(offset) : int(offset) + int(size)]
            found.append((archive[int(header) : int(header) + int(header_size)], image))
        return found

    def ratarmount(self, split: str) -> dict[str, bytes]:
        """What a mount shows: the content of each file by its path."""
        index = self.output_dir / RATARMOUNT.format(ARCHIVES[ARCHIVE[split]])
        archive = self.archive(split)
        with sqlite3.connect(index) as database:
            rows = database.execute("SELECT path, name, offset, size FROM files WHERE type = 0").fetchall()
        return {f"{path}/{name}": archive[offset : offset + size] for path, name, offset, size in rows}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_of_each_training_image_dalis_index_has_the_bytes_and_the_wnid(world: World) -> None:
    world.index("train")
    wanted = [(name[:9].encode(), content) for name, content in IMAGES["train"].items()]
    assert sorted(world.dali("train")) == sorted(wanted)


def test_of_each_validation_image_it_has_the_bytes_and_the_name_in_the_order_of_the_archive(world: World) -> None:
    world.index("validation")
    wanted = [(name.encode().ljust(100, b"\0"), content) for name, content in IMAGES["validation"].items()]
    assert world.dali("validation") == wanted


def test_training_images_which_lie_class_by_class_are_in_an_order_that_follows_from_the_seed(tmp_path: Path) -> None:
    found = []
    for number, seed in enumerate((1, 1, 2)):
        world = World(tmp_path / str(number), {"shards": {"seed": seed}})
        world.index("train")
        found.append([header for header, _ in world.dali("train")])
    assert found[0] == found[1] != found[2]
    assert sorted(found[0]) != found[0] != sorted(found[0], reverse=True)


def test_ratarmount_shows_each_training_image_in_the_folder_of_its_class(world: World) -> None:
    world.index("train")
    assert world.ratarmount("train") == {f"/train/{name[:9]}/{name}": it for name, it in IMAGES["train"].items()}


def test_it_shows_each_validation_image_in_the_folder_of_its_class_though_the_archive_is_flat(world: World) -> None:
    world.index("validation")
    wnids = [builders.WNIDS[number - 1] for number in builders.TRUTH]
    named = zip(wnids, IMAGES["validation"].items(), strict=True)
    assert world.ratarmount("validation") == {f"/val/{wnid}/{name}": content for wnid, (name, content) in named}


def test_the_index_of_an_archive_is_called_by_the_name_that_the_archive_has(tmp_path: Path) -> None:
    world = World(tmp_path, {"archives": {"val": {"file": "mine.tar"}}})
    world.archives.mkdir()
    world.images("validation", IMAGES["validation"])
    (world.archives / "val.tar").rename(world.archives / "mine.tar")
    world.configure({"archives": {"val": {"file": "mine.tar"}}})
    assert list(world.make("archive_index", "validation", 0, 1)["files"]) == [
        DALI.format("validation"),
        RATARMOUNT.format("mine.tar"),
    ]


ODD: Mapping[str, tuple[bytes, str]] = {
    "dot": (builders.tar({f"./{name}": it for name, it in builders.val_images().items()}), "00000001"),
    "folder": (builders.tar({f"val/{name}": it for name, it in builders.val_images().items()}), "00000001"),
    "long": (
        builders.tar({f"{'é' * 90}/{name}": it for name, it in builders.val_images().items()}, tarfile.PAX_FORMAT),
        "00000001",
    ),
    "only the last": (
        builders.tar(
            {f"{'./' if '6' in name[:-5] else ''}{name}": it for name, it in builders.val_images().items()},
        ),
        "00000006",
    ),
}


@pytest.mark.parametrize(("content", "first"), ODD.values(), ids=ODD)
def test_names_that_do_not_begin_their_headers_are_an_error_and_leave_no_index(
    content: bytes, first: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builders, "tar", lambda members: content)
    world.images("validation", IMAGES["validation"])
    with pytest.raises(PrepError, match="does not begin with its file name") as caught:
        world.make("archive_index", "validation", 0, 1)
    assert str(caught.value.member).endswith(f"{first}.JPEG")
    assert f"{world.output_dir}/tables/images.parquet makes it" in caught.value.remedy
    assert builders.is_one_line(caught.value)
    assert not (world.output_dir / "archive_index").exists()
