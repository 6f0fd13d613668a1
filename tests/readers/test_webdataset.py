"""The webdataset library, timm and DALI read the WebDataset shards."""

from __future__ import annotations

import io
import json
import tarfile
from glob import glob
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
import webdataset as wds
from hypothesis import given, settings
from hypothesis import strategies as st
from nvidia.dali import fn, pipeline_def
from PIL import Image as Pillow

from imagenet_prep.formats import webdataset
from imagenet_prep.formats.stream import Stream
from readers.reading import SIDES, Reading
from readers.snippets import run
from readers.test_dali import epoch
from readers.torchvision_import import torchvision

assert torchvision  # before timm, which imports it
from timm.data import create_dataset, create_loader  # noqa: E402

SAMPLES = st.lists(
    st.tuples(
        st.text("abcXYZ019_-", min_size=1, max_size=30),
        st.tuples(*(st.tuples(st.just(kind), st.binary(max_size=900)) for kind in ("cls", "jpg", "json"))),
    ),
    unique_by=lambda sample: sample[0],
    min_size=1,
    max_size=5,
)


def shards(split: str) -> list[str]:
    return sorted(glob(f"results/webdataset/imagenet1k-{split}-*.tar"))


def raw(split: str) -> wds.WebDataset:
    """All samples, nothing decoded."""
    return wds.WebDataset(shards(split), shardshuffle=False)


def filename(sample: dict[str, Any]) -> str:
    return str(json.loads(sample["json"])["filename"])


def test_the_readmes_code_gives_every_image_with_its_label_and_boxes(reading: Reading) -> None:
    found = list(run("webdataset", reading.split)["dataset"])
    images = reading.found([about["filename"] for _, _, about in found])
    for image, (pixels, label, about) in zip(images, found, strict=True):
        assert image.looks_like(np.asarray(pixels)), image.filename
        assert (label, about["label"], about["wnid"], about["text"]) == (
            image.index,
            image.index,
            image.wnid,
            image.words,
        )
        assert (about["width"], about["height"]) == (image.width, image.height)
        assert np.array_equal(np.array(about["boxes"], np.float32).reshape(-1, len(SIDES)), image.boxes)


def test_every_sample_holds_the_bytes_of_its_image(reading: Reading) -> None:
    samples = list(raw(reading.split))
    for image, sample in zip(reading.found([filename(sample) for sample in samples]), samples, strict=True):
        assert image.is_content(sample["jpg"]), image.filename
        assert sample["cls"] == str(image.index).encode()
        assert f"{sample['__key__']}.JPEG" == image.filename


def test_shuffled_all_images_are_there_once_in_another_order(reading: Reading) -> None:
    ordered = [filename(sample) for sample in raw(reading.split)]
    shuffled = wds.WebDataset(shards(reading.split), shardshuffle=100, seed=1).shuffle(1000)
    found = [filename(sample) for sample in shuffled]
    reading.found(found)
    assert found != ordered


def test_workers_share_out_every_image_once(reading: Reading) -> None:
    loader = torch.utils.data.DataLoader(run("webdataset", reading.split)["dataset"], batch_size=None, num_workers=2)
    reading.found([about["filename"] for _, _, about in loader])


@pytest.mark.parametrize("nodes", [2, 3])
def test_nodes_share_out_every_image_once(reading: Reading, nodes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    monkeypatch.setenv("WORLD_SIZE", str(nodes))
    for rank in range(nodes):
        monkeypatch.setenv("RANK", str(rank))
        of_node = wds.WebDataset(
            shards(reading.split), shardshuffle=False, nodesplitter=wds.split_by_node, empty_check=False
        )
        found += [filename(sample) for sample in of_node]
    reading.found(found)


def test_timm_reads_every_image_with_its_label(reading: Reading) -> None:
    dataset = create_dataset("wds/", root="results/webdataset", split=reading.split, batch_size=4)
    assert len(dataset) == len(reading.images)
    names = dataset.filenames(basename=True)
    images = reading.found([f"{Path(name).stem}.JPEG" for name in names])
    for image, (picture, label) in zip(images, dataset, strict=True):
        assert image.looks_like(np.asarray(picture.convert("RGB"))), image.filename
        assert label == image.index


def test_the_readmes_code_for_timm_makes_a_loader_that_trains(reading: Reading) -> None:
    dataset = run("timm", reading.split)["dataset"]
    loader = create_loader(
        dataset, (3, 64, 64), 4, is_training=True, use_prefetcher=False, num_workers=1, device=torch.device("cpu")
    )
    pixels, labels = next(iter(loader))
    assert pixels.shape == (4, 3, 64, 64)
    assert set(labels.tolist()) <= {image.index for image in reading.images.values()}


@pipeline_def(batch_size=32, num_threads=2, device_id=None)
def everything(split: str, shard_id: int = 0, num_shards: int = 1) -> Any:
    """All components, none decoded."""
    components = fn.readers.webdataset(
        paths=shards(split),
        index_paths=sorted(glob(f"results/webdataset/imagenet1k-{split}-*.idx")),
        ext=["json", "cls", "jpg;png"],
        shard_id=shard_id,
        num_shards=num_shards,
        name="reader",
    )
    return tuple(components)


def test_dali_finds_every_image_by_our_indexes(reading: Reading) -> None:
    samples = epoch(everything(reading.split))
    images = reading.found([filename({"json": about.tobytes()}) for about, _, _ in samples])
    for image, (_, label, encoded) in zip(images, samples, strict=True):
        assert image.is_content(encoded.tobytes()), image.filename
        assert label.tobytes() == str(image.index).encode()


def test_the_readmes_code_for_dali_decodes_every_image(reading: Reading) -> None:
    names = [filename(sample) for sample in raw(reading.split)]
    found = epoch(run("DALI, WebDataset", reading.split)["pipeline"])
    for image, (pixels, label) in zip(reading.found(names), found, strict=True):
        assert image.looks_like(pixels), image.filename
        assert label.tobytes().rstrip(b"\0") == str(image.index).encode()


@pytest.mark.parametrize("num_shards", [2, 5])
def test_dali_shares_out_every_image_once(reading: Reading, num_shards: int) -> None:
    count = len(reading.images)
    bounds = [shard * count // num_shards for shard in range(num_shards + 1)]
    found = []
    for shard in range(num_shards):
        of_shard = epoch(everything(reading.split, shard, num_shards), bounds[shard + 1] - bounds[shard])
        found += [filename({"json": about.tobytes()}) for about, _, _ in of_shard]
    reading.found(found)


@settings(deadline=None, max_examples=50)
@given(SAMPLES)
def test_the_library_reads_what_is_written(samples: list[tuple[str, tuple[tuple[str, bytes], ...]]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "shard.tar")
        with open(path, "wb", buffering=0) as file:
            webdataset.write_samples(file, samples)
        found = [
            (sample["__key__"], tuple((kind, sample[kind]) for kind in ("cls", "jpg", "json")))
            for sample in wds.WebDataset(str(path), shardshuffle=False)
        ]
        assert found == samples


@settings(deadline=None, max_examples=50)
@given(SAMPLES)
def test_what_the_library_writes_is_read(samples: list[tuple[str, tuple[tuple[str, bytes], ...]]]) -> None:
    output = io.BytesIO()
    with wds.TarWriter(output) as writer:
        for key, files in samples:
            writer.write({"__key__": key, **dict(files)})
    content = output.getvalue()
    with TemporaryDirectory() as folder:
        path = Path(folder, "shard.tar")
        path.write_bytes(content)
        with open(path, "rb", buffering=0) as file, Stream(file) as stream:
            read = webdataset.read_samples(stream, str(path), len(content))
            found = [(key, tuple((kind, bytes(data)) for kind, (_, data) in sorted(of.items()))) for key, of in read]
    assert found == samples


def test_an_archive_program_lists_the_samples(reading: Reading) -> None:
    names = []
    for path in shards(reading.split):
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name.endswith(".jpg"):
                    names.append(f"{Path(member.name).stem}.JPEG")
                    assert Pillow.open(tar.extractfile(member)).format == "JPEG"
    reading.found(names)
