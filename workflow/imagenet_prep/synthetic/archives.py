"""Writes the archives of a planned world: the same bytes each time, one image in memory at a time."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

from imagenet_prep import atomic
from imagenet_prep.synthetic import devkit_archive, human_labels
from imagenet_prep.synthetic.box_files import xml
from imagenet_prep.synthetic.drawing import encode
from imagenet_prep.synthetic.settings import Settings
from imagenet_prep.synthetic.world import World, plan

_TIME = 1_339_632_000  # 2012-06-14, the day of the real devkit
_IN_MEMORY = 1 << 24  # bytes of a class tar that are kept in memory


def synthesize(archives: Mapping[str, Path], settings: Settings) -> None:
    """Write archives of a made-up ILSVRC2012, each whole or not at all.

    Args:
        archives: paths by name (train, train_t3, val, test, devkit, bbox_train, bbox_val, multilabel, real_labels);
            only those named are written. They belong together with others written from the same settings.
        settings: seed and sizes.
    """
    world = plan(settings)
    for name, path in archives.items():
        with atomic.replacing(path) as partial:
            write(name, world, partial)


def write(name: str, world: World, path: Path) -> None:
    """Write the archive of this name to a file that nobody reads yet."""
    with path.open("wb") as file:
        _WRITERS[name](world, file)


def _write_train(world: World, file: IO[bytes]) -> None:
    _write_class_tars(world, "train", file)


def _write_train_t3(world: World, file: IO[bytes]) -> None:
    _write_class_tars(world, "train_t3", file)


def _write_class_tars(world: World, split: str, file: IO[bytes]) -> None:
    with _tar(file) as outer:
        for wnid in world.class_counts[split]:
            with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(Path(file.name).parent)) as spool:
                with _tar(spool) as inner:
                    for image in world.class_images(split, wnid):
                        _add(inner, image.filename, encode(image))
                info = _info(f"{wnid}.tar", spool.tell())
                spool.seek(0)
                outer.addfile(info, spool)


def _write_val(world: World, file: IO[bytes]) -> None:
    _write_members(file, ((image.filename, encode(image)) for image in world.images("validation")))


def _write_test(world: World, file: IO[bytes]) -> None:
    with _tar(file) as tar:
        _add(tar, "test", None)
        for image in world.images("test"):
            _add(tar, f"test/{image.filename}", encode(image))


def _write_devkit(world: World, file: IO[bytes]) -> None:
    _write_gzipped(file, devkit_archive.members(world))


def _write_bbox_train(world: World, file: IO[bytes]) -> None:
    _write_gzipped(file, _xml_members(world, "train"))


def _write_bbox_val(world: World, file: IO[bytes]) -> None:
    _write_gzipped(file, _xml_members(world, "validation"))


def _xml_members(world: World, split: str) -> Iterable[tuple[str, bytes | None]]:
    folder = None
    for _, annotation in world.annotations(split):
        if (parent := annotation.path.partition("/")[0]) != folder:
            folder = parent
            yield folder, None
        yield annotation.path, xml(annotation)


def _write_multilabel(world: World, file: IO[bytes]) -> None:
    with io.TextIOWrapper(file, encoding="ascii") as text:
        human_labels.write_multilabel(world.multilabels(), text)


def _write_real_labels(world: World, file: IO[bytes]) -> None:
    file.write(json.dumps(world.real_labels()).encode("ascii"))


_WRITERS: dict[str, Callable[[World, IO[bytes]], None]] = {
    "train": _write_train,
    "train_t3": _write_train_t3,
    "val": _write_val,
    "test": _write_test,
    "devkit": _write_devkit,
    "bbox_train": _write_bbox_train,
    "bbox_val": _write_bbox_val,
    "multilabel": _write_multilabel,
    "real_labels": _write_real_labels,
}


def _write_gzipped(file: IO[bytes], members: Iterable[tuple[str, bytes | None]]) -> None:
    # An empty name and no time, since gzip would write those of this run into its header.
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as unpacked:
        _write_members(unpacked, members)


def _write_members(file: IO[bytes] | gzip.GzipFile, members: Iterable[tuple[str, bytes | None]]) -> None:
    with _tar(file) as tar:
        for name, content in members:
            _add(tar, name, content)


def _tar(file: IO[bytes] | gzip.GzipFile | tempfile.SpooledTemporaryFile[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT)


def _add(tar: tarfile.TarFile, name: str, content: bytes | None) -> None:
    if content is None:
        info = _info(name, 0)
        info.type, info.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(info)
    else:
        tar.addfile(_info(name, len(content)), io.BytesIO(content))


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = size, _TIME
    return info
