"""WebDataset shards: named and filled as timm's are, and all follows from the configuration."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image

import builders
from builders import CRANE, FOX, image
from imagenet_prep.formats import parquet
from imagenet_prep.products.registry import SPLIT_PRODUCTS
from products.jobs import Jobs

SHARDS = 3


class World(Jobs):
    """A training archive, its images and the plan of its shards."""

    def __init__(self, folder: Path, images: dict[str, bytes] | None = None, *, boxes: bool = False) -> None:
        self.content = images or builders.train_images()
        use = ["train", "devkit", *(["bbox_train"] if boxes else [])]
        super().__init__(folder, {"use": use, "webdataset": {"train_shards": min(SHARDS, len(self.content))}})
        self.images("train", self.content)
        if boxes:
            rows = [{"filename": f"{FOX}_9.JPEG", "usable": True, "xmin": 0.1, "ymin": 0.2, "xmax": 0.3, "ymax": 1.0}]
            self.made("boxes", "train", {"parquet": lambda path: parquet.write(pa.Table.from_pylist(rows * 2), path)})
        self.plan("webdataset", "train")

    def write(self, **shards: Any) -> dict[str, Any]:
        """Make all shards, with other values in the section `shards` of the configuration."""
        self.configure({"shards": shards})
        return self.make("webdataset", "train", 0, SHARDS - 1)

    def samples(self) -> dict[str, dict[str, bytes]]:
        """The files of each sample by key, of all shards in order."""
        found: dict[str, dict[str, bytes]] = {}
        for path in sorted((self.output_dir / "webdataset").glob("*.tar")):
            with tarfile.open(path) as tar:
                for member in tar:
                    key, _, kind = member.name.partition(".")
                    assert kind not in found.setdefault(key, {})
                    found[key][kind] = tar.extractfile(member).read()  # type: ignore[union-attr]
        return found


def test_every_image_is_in_one_sample_byte_for_byte(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write()
    assert {f"{key}.JPEG": files["jpg"] for key, files in world.samples().items()} == world.content


def test_a_sample_has_label_size_words_and_boxes(tmp_path: Path) -> None:
    world = World(tmp_path, boxes=True)
    world.write()
    samples = world.samples()
    width, height = Image.open(io.BytesIO(world.content[f"{FOX}_9.JPEG"])).size
    assert samples[f"{FOX}_9"]["cls"] == b"1"
    assert json.loads(samples[f"{FOX}_9"]["json"]) == {
        "filename": f"{FOX}_9.JPEG",
        "label": 1,
        "width": width,
        "height": height,
        "wnid": FOX,
        "text": f"words of {FOX}",
        "boxes": [[0.1, 0.2, 0.3, 1.0]] * 2,
    }
    assert json.loads(samples[f"{CRANE}_2"]["json"])["boxes"] == []
    assert {tuple(files) for files in samples.values()} == {("jpg", "cls", "json")}


def test_odd_images_are_as_the_section_shards_says(tmp_path: Path) -> None:
    odd = {f"{FOX}_1.JPEG": image(1, mode="CMYK"), f"{FOX}_2.JPEG": image(2, form="PNG")}
    world = World(tmp_path, odd)
    world.write()
    for files in world.samples().values():
        picture = Image.open(io.BytesIO(files["jpg"]))
        assert (picture.format, picture.mode) == ("JPEG", "RGB")
    world.write(cmyk_to_rgb=False, png_to_jpeg=False)
    assert world.samples()[f"{FOX}_1"]["jpg"] == odd[f"{FOX}_1.JPEG"]
    assert world.samples()[f"{FOX}_2"]["png"] == odd[f"{FOX}_2.JPEG"]


@pytest.mark.parametrize(
    ("split", "shards", "first", "last"),
    [
        ("train", 1024, "imagenet1k-train-0000.tar", "imagenet1k-train-1023.tar"),
        ("validation", 64, "imagenet1k-validation-00.tar", "imagenet1k-validation-63.tar"),
        ("validation", 1, "imagenet1k-validation-0.tar", "imagenet1k-validation-0.tar"),
        ("train", 10, "imagenet1k-train-0.tar", "imagenet1k-train-9.tar"),
    ],
)
def test_shards_are_called_as_timm_calls_them(split: str, shards: int, first: str, last: str, tmp_path: Path) -> None:
    names = [path.name for path in SPLIT_PRODUCTS["webdataset"].shard_set(tmp_path, split, shards).paths()]  # type: ignore[attr-defined]
    assert (names[0], names[-1], len(set(names))) == (first, last, shards)


def test_timm_s_description_counts_the_samples_of_each_shard(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.make("webdataset", "train", 1, 2)
    world.make("webdataset", "train", 0, 0)
    SPLIT_PRODUCTS["webdataset"].describe(world.given("webdataset_description"))
    assert json.loads((world.output_dir / "webdataset" / "_info.json").read_text()) == {
        "name": "imagenet1k",
        "splits": {
            "train": {
                "name": "train",
                "filenames": [f"imagenet1k-train-{shard}.tar" for shard in range(SHARDS)],
                "shard_lengths": [3, 3, 3],
                "num_samples": 9,
            }
        },
    }


def test_the_receipt_names_shards_and_indexes(tmp_path: Path) -> None:
    files = World(tmp_path).write()["files"]
    assert [name for name, content in files.items() if "records" in content] == [
        f"webdataset/imagenet1k-train-{shard}.tar" for shard in range(SHARDS)
    ]
    assert {name for name in files if name.endswith(".idx")} == {
        f"webdataset/imagenet1k-train-{shard}.idx" for shard in range(SHARDS)
    }
