"""What trains from the archives as they are reads every image of a split, with the class that the tables give it."""

from __future__ import annotations

import functools
import http.server
import io
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import boto3
import grain.python as grain
import numpy as np
import pytest
from ratarmountcore.mountsource.factory import open_mount_source
from s3fs import S3FileSystem
from torch.utils.data import DataLoader

from imagenet_prep.errors import PrepError
from imagenet_prep.reading import BlockShuffle, Images
from project import Project
from publish import stores
from readers.reading import Image, Reading
from readers.snippets import run, run_in_shell
from readers.torchvision_import import torchvision  # noqa: F401 - before the pages' code imports it

Sample = tuple[bytes, int]


def expect_all(reading: Reading, samples: Sequence[Sample]) -> list[Image]:
    """The images that these samples are, which must be all of the split, each once, and with its class."""
    by_content = {image.content: image for image in reading.images.values()}
    images = [by_content[content] for content, _ in samples]
    assert [label for _, label in samples] == [image.index for image in images]
    return reading.found([image.filename for image in images])


def samples_of(loader: DataLoader) -> list[Sample]:
    return [sample for batch in loader for sample in batch]


# PyTorch and Grain, by Images


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_loader_reads_each_image_once_whichever_way_its_workers_begin(reading: Reading, method: str) -> None:
    images = Images("results", reading.split)
    loader = DataLoader(
        images, batch_size=16, shuffle=True, num_workers=2, multiprocessing_context=method, collate_fn=list
    )
    first, second = samples_of(loader), samples_of(loader)
    assert first != second
    expect_all(reading, first)
    expect_all(reading, second)


def test_so_it_does_in_blocks_which_several_processes_share(reading: Reading) -> None:
    images = Images("results", reading.split)
    samplers = [BlockShuffle(images, window=8, mixed=2, num_replicas=2, rank=rank) for rank in range(2)]
    loaders = [DataLoader(images, batch_size=5, sampler=it, num_workers=2, collate_fn=list) for it in samplers]
    found = [sample for loader in loaders for sample in samples_of(loader)]
    expect_all(reading, found[: len(images)] if len(images) % 2 == 0 else [*dict.fromkeys(found)])


def test_the_pages_code_decodes_and_has_the_boxes(reading: Reading) -> None:
    names = run("Images", reading.split)
    assert sum(len(labels) for _, labels in names["loader"]) == len(reading.images)
    (pixels, labels), *_ = names["in_blocks"]
    assert pixels.shape[1:] == (3, 224, 224)
    assert set(labels.tolist()) <= {image.index for image in reading.images.values()}
    images = Images("results", reading.split, boxes=True)
    for number in range(len(images)):
        image = reading.images[images.filename(number)]
        assert np.array_equal(images[number][2], image.boxes)


def test_the_pages_code_for_grain_reads_each_image_once(reading: Reading) -> None:
    expect_all(reading, list(run("Grain, archive", reading.split)["loader"]))


def test_graines_datasets_take_it_too(reading: Reading) -> None:
    images = Images("results", reading.split)
    found = list(grain.MapDataset.source(images).shuffle(seed=1).to_iter_dataset())
    expect_all(reading, found)


# Archives elsewhere


class Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves a file with ranges, and counts requests; without them if `knows_ranges` is false."""

    asked = 0
    knows_ranges = True

    def do_GET(self) -> None:
        type(self).asked += 1
        content = Path(self.directory, self.path.lstrip("/")).read_bytes()
        wanted = self.headers.get("Range") if self.knows_ranges else None
        start, stop = 0, len(content)
        if wanted:
            first, last = wanted.removeprefix("bytes=").split("-")
            start, stop = int(first), min(stop, int(last) + 1)
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        self.wfile.write(content[start:stop])

    def log_message(self, *_: object) -> None: ...


@contextmanager
def served(archive: Path, *, knows_ranges: bool = True) -> Iterator[tuple[str, type[Ranges]]]:
    handler = type("Handler", (Ranges,), {"knows_ranges": knows_ranges})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(archive.resolve().parent))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{archive.resolve().name}", handler
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def archive(reading: Reading) -> Path:
    (name,) = {path.name for path in Path("results/archives").iterdir() if f"_{reading.folder}." in path.name}
    return Path("results/archives", name)


def test_an_archive_behind_http_is_read_in_few_requests(reading: Reading, archive: Path) -> None:
    with served(archive) as (url, handler):
        images = Images("results", reading.split, archive=url)
        expect_all(reading, [images[number] for number in range(len(images))])
        assert handler.asked < 2 + len(images) / 3
        before = handler.asked
        expect_all(reading, images.__getitems__(range(len(images))))
        assert handler.asked - before <= 1 + archive.stat().st_size // (4 << 20)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_read_it_too(reading: Reading, archive: Path, method: str) -> None:
    with served(archive) as (url, _):
        images = Images("results", reading.split, archive=url)
        images[0]  # connections of this process are of no use to its children
        loader = DataLoader(
            images, batch_size=64, shuffle=True, num_workers=2, multiprocessing_context=method, collate_fn=list
        )
        expect_all(reading, samples_of(loader))


def test_a_server_without_ranges_is_told(reading: Reading, archive: Path) -> None:
    with served(archive, knows_ranges=False) as (url, _):
        images = Images("results", reading.split, archive=url)
        with pytest.raises(PrepError, match="knows no ranges"):
            images[3]


def test_a_server_that_answers_no_more_is_told(reading: Reading, archive: Path) -> None:
    with served(archive) as (url, _):
        images = Images("results", reading.split, archive=url)
    with pytest.raises(PrepError, match="cannot be read") as caught:
        images[3]
    assert str(caught.value).startswith(url)


def test_an_archive_in_s3_is_read(
    reading: Reading, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "somebody")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with stores.moto(tmp_path) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        S3FileSystem.clear_instance_cache()  # of the server of the test before
        client = boto3.client("s3")
        client.create_bucket(Bucket="bucket")
        client.upload_file(str(archive), "bucket", "folder/archive.tar")
        images = Images("results", reading.split, archive="s3://bucket/folder/archive.tar")
        expect_all(reading, images.__getitems__(range(len(images))))
        expect_all(reading, [images[number] for number in range(len(images))])


# ratarmount


def can_mount() -> bool:
    return os.access("/dev/fuse", os.R_OK | os.W_OK) and bool(shutil.which("fusermount3") or shutil.which("fusermount"))


@pytest.fixture
def mounted(reading: Reading, archive: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the page's code mounts an archive."""
    if not can_mount():
        pytest.skip("not possible here: it needs /dev/fuse, and Debian's package fuse3")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    run_in_shell("ratarmount", archive=archive.name)
    try:
        yield Path("mounted")
    finally:
        subprocess.run(["ratarmount", "-u", "mounted"], check=True)


def test_a_mounted_archive_is_class_folders(reading: Reading, mounted: Path) -> None:
    assert [path.name for path in mounted.iterdir()] == [reading.folder]
    dataset = run("ImageFolder, mounted", reading.split)["dataset"]
    ranks = sorted(it.wnid for it in reading.classes.itertuples())
    found = reading.found([Path(path).name for path, _ in dataset.samples])
    for image, (path, rank) in zip(found, dataset.samples, strict=True):
        assert Path(path).read_bytes() == image.content
        assert ranks[rank] == image.wnid == Path(path).parent.name


def test_ratarmounts_library_shows_the_same_and_leaves_the_index_as_it_was(reading: Reading, archive: Path) -> None:
    index = Path(f"results/archive_index/ratarmount/{archive.name}.index.sqlite")
    before = index.read_bytes()
    with open_mount_source(str(archive), indexFilePath=str(index)) as source:
        assert set(source.list("/")) == {reading.folder}
        found = []
        for wnid in source.list(f"/{reading.folder}"):
            for name in source.list(f"/{reading.folder}/{wnid}"):
                image = reading.images[name]
                with source.open(source.lookup(f"/{reading.folder}/{wnid}/{name}")) as file:
                    assert file.read() == image.content
                assert wnid == image.wnid
                found.append(name)
    reading.found(found)
    assert index.read_bytes() == before


# Recipes


def test_timm_finds_the_classes_of_the_training_archive(demo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo.folder)
    reading = Reading(demo, "train")  # the validation archive is flat: timm finds no classes in it
    dataset = run("timm, archive")["dataset"]
    names = dataset.filenames(basename=True)
    for number, image in enumerate(reading.found(names)):
        content, rank = dataset.reader[number]
        assert content.read() == image.content
        assert rank == image.index


def test_the_pages_code_for_lance_reads_byte_ranges(
    reading: Reading, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "results").symlink_to(Path("results").resolve())
    monkeypatch.chdir(tmp_path)
    dataset = run("Lance", reading.split)["dataset"]
    rows = dataset.to_table(columns=["filename", "class_index"]).to_pylist()
    contents = dict(dataset.read_blobs("image", indices=list(range(len(rows)))))
    found = list(contents.values()) if not all(isinstance(key, int) for key in contents) else None
    samples = [(bytes(it), row["class_index"]) for it, row in zip(found or contents.values(), rows, strict=True)]
    expect_all(reading, samples)


def test_the_pages_code_for_fsspec_has_a_path_for_each_image(reading: Reading) -> None:
    names = run("fsspec", reading.split)
    images = reading.found([Path(path).name for path in names["references"]])
    contents = names["files"].cat(list(names["references"]))
    for image in images:
        assert contents[f"{image.wnid}/{image.filename}"] == image.content
    assert io.BytesIO(names["jpeg"]).read(2) == b"\xff\xd8"
