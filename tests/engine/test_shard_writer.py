"""Shards straight from an archive: the same bytes however they are made, whatever their format."""

from __future__ import annotations

from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from crc32c import crc32c

import builders
from builders import FOX, MACHINE, image
from imagenet_prep.datasets.classes import select_classes
from imagenet_prep.engine import shard_writer
from imagenet_prep.engine.images import write_images
from imagenet_prep.engine.plan import write_plan
from imagenet_prep.engine.shard_set import ShardSet
from imagenet_prep.engine.shard_writer import Reencoding, Row, write_shards
from imagenet_prep.errors import PrepError
from imagenet_prep.formats.stream import Buffer

SHARDS = 3
BOTH = Reencoding()


class World:
    """A training archive, its images and the plan of shards in a format of its own: names, formats and images."""

    def __init__(self, folder: Path, images: dict[str, bytes] | None = None) -> None:
        self.images = images or builders.train_images()
        self.set = ShardSet(folder, "product", "train", min(SHARDS, len(self.images)))
        self.folder, self.plan = self.set.folder, folder / "plan.parquet"
        self.archive = folder / "archives" / "train.tar"
        self.table = builders.labelled(self.archive.parent, "train", self.images)
        self.samples: dict[str, tuple[str, bytes]] = {}
        write_images([self.table], folder / "images.parquet")
        write_plan(
            folder / "images.parquet",
            None,
            select_classes(builders.synsets(), None, "original"),
            shards=self.set.shards,
            seed=12345,
            label_base=1,
            key="",
            output=self.plan,
        )

    def _write(self, file: FileIO, samples: Iterator[tuple[Row, Buffer]]) -> dict[str, Any]:
        content = b""
        for row, data in samples:
            self.samples[row["filename"]] = row["format"], bytes(data)
            content += f"{row['filename']} {row['format']} ".encode() + bytes(data)
        file.write(content)
        return {"bytes": len(content), "crc32c": f"{crc32c(content):08x}"}

    def write(self, first: int = 0, last: int = SHARDS - 1, reencoding: Reencoding = BOTH) -> dict[str, Any]:
        return write_shards(self.plan, self.set, first, last, self.archive, reencoding, self._write)

    def shards(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_format_is_given_every_image_once_byte_for_byte(world: World) -> None:
    world.write()
    assert world.samples == {name: ("JPEG", content) for name, content in world.images.items()}


def test_the_format_is_given_the_images_in_the_order_of_the_plan(world: World) -> None:
    world.write()
    assert list(world.samples) == pq.read_table(world.plan)["filename"].to_pylist()


@pytest.mark.parametrize("cuts", [[(0, 2)], [(0, 0), (1, 1), (2, 2)], [(1, 2), (0, 0)]])
@pytest.mark.parametrize("window", [1, 2000, 1 << 30])
def test_shards_are_the_same_bytes_however_batches_and_windows_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuts: list[tuple[int, int]], window: int
) -> None:
    undisturbed = World(tmp_path / "one")
    undisturbed.write()
    monkeypatch.setattr(shard_writer, "WINDOW", window)
    other = World(tmp_path / "two")
    for first, last in cuts:
        other.write(first, last)
    assert other.shards() == undisturbed.shards()


def test_a_format_may_hold_the_image_before_while_windows_take_turns_in_the_memory(world: World) -> None:
    def write(file: FileIO, samples: Iterator[tuple[Row, Buffer]]) -> dict[str, Any]:
        before: tuple[Row, Buffer] | None = None
        for row, data in samples:
            if before:
                held[before[0]["filename"]] = bytes(before[1])
            before = row, data
        assert before is not None
        held[before[0]["filename"]] = bytes(before[1])
        return {"bytes": 0, "crc32c": "0"}

    held: dict[str, bytes] = {}
    window = 2 * max(map(len, world.images.values()))
    write_shards(world.plan, world.set, 0, SHARDS - 1, world.archive, BOTH, write, window)
    assert held == world.images


def test_the_receipt_has_records_bytes_and_checksum_of_each_shard_and_holds_no_time(world: World) -> None:
    receipt = world.write()
    made = {
        f"product/{name}": {"records": 3, "bytes": len(data), "crc32c": f"{crc32c(data):08x}"}
        for name, data in world.shards().items()
    }
    assert receipt == {"files": made}
    assert world.write() == receipt


def test_which_images_are_re_encoded_says_the_configuration() -> None:
    assert Reencoding.of({"cmyk_to_rgb": True, "png_to_jpeg": False, "seed": 1}) == Reencoding(cmyk=True, png=False)


def test_the_format_is_given_what_is_re_encoded_as_what_it_is_then(tmp_path: Path) -> None:
    world = World(tmp_path, {f"{FOX}_1.JPEG": image(1, form="PNG"), f"{FOX}_2.JPEG": image(2, mode="CMYK")})
    for reencoding, formats in ((BOTH, ["JPEG", "JPEG"]), (Reencoding(cmyk=False, png=False), ["PNG", "JPEG"])):
        world.write(0, 1, reencoding)
        found = dict(sorted(world.samples.items()))
        assert [form for form, _ in found.values()] == formats
        assert ({name: data for name, (_, data) in found.items()} == world.images) is (reencoding != BOTH)


# What does not hold any more


def test_a_changed_byte_of_the_archive_is_an_error_that_names_image_and_offset(world: World) -> None:
    row = world.table.to_pylist()[4]
    archive = world.archive
    data = bytearray(archive.read_bytes())
    data[row["offset"] + 50] ^= 1
    archive.write_bytes(data)
    with pytest.raises(PrepError, match="not those that were verified") as caught:
        for shard in range(SHARDS):
            world.write(shard, shard)
    assert caught.value.place == str(archive)
    assert (caught.value.member, caught.value.offset) == (row["filename"], row["offset"])


def test_a_failed_shard_leaves_nothing(world: World) -> None:
    world.archive.write_bytes(bytes(1 << 20))
    with pytest.raises(PrepError):
        world.write()
    assert world.shards() == {}


def test_an_archive_that_is_cut_off_is_an_error(world: World) -> None:
    archive = world.archive
    archive.write_bytes(archive.read_bytes()[:3000])
    with pytest.raises(PrepError, match="short"):
        world.write()
    assert world.shards() == {}


def test_an_archive_that_is_gone_is_an_error_that_names_it(world: World) -> None:
    world.archive.unlink()
    with pytest.raises(PrepError) as caught:
        world.write()
    assert caught.value.place == str(world.archive)


def test_an_image_that_does_not_decode_is_an_error_that_names_it(tmp_path: Path) -> None:
    broken = bytearray(image(1, (200, 100), "RGB", "PNG"))
    broken[200:260] = bytes(60)
    world = World(tmp_path, {f"{MACHINE}_1.JPEG": bytes(broken)})
    with pytest.raises(PrepError, match="does not decode") as caught:
        world.write(0, 0)
    assert caught.value.member == f"{MACHINE}_1.JPEG"
    assert world.shards() == {}
