"""The shards of each format written in the way that the format's own documentation tells, from class folders.

`own_ways.py <way> <class folders> <output> <workers> [durable]`; `durable`: until the bytes are on the disk, as those
of the workflow are. With `check` in place of a folder, only whether what it needs can be imported. Shards have the
sizes that the format's users give them.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

IMAGES_A_SHARD = {"webdataset": 1251, "parquet": 4358, "arrayrecord": 1251, "arrayrecord_alone": 1251}


def _files(folder: Path) -> list[tuple[Path, int]]:
    """All images with their labels, shuffled."""
    labels = {path.name: number for number, path in enumerate(sorted(folder.iterdir()))}
    files = [(path, labels[path.parent.name]) for path in sorted(folder.glob("*/*"))]
    random.Random(1).shuffle(files)
    return files


def _in_shards(
    name: str, write: Callable[[list[tuple[Path, int]], Path], None], folder: Path, output: Path, workers: int
) -> None:
    files, size = _files(folder), IMAGES_A_SHARD[name]
    shards = [files[start : start + size] for start in range(0, len(files), size)]
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(write, shards, [output / f"train-{number:05d}" for number in range(len(shards))]))


def webdataset(files: list[tuple[Path, int]], shard: Path) -> None:
    """`wds.TarWriter`, a sample a file, as its README has it."""
    import webdataset as wds

    with wds.TarWriter(f"{shard}.tar") as writer:
        for file, label in files:
            about = {"filename": file.name, "label": label}
            writer.write({"__key__": file.stem, "jpg": file.read_bytes(), "cls": label, "json": about})


def arrayrecord(files: list[tuple[Path, int]], shard: Path) -> None:
    """`ArrayRecordWriter` with an Example a record."""
    import tensorflow as tf
    from array_record.python.array_record_module import ArrayRecordWriter

    def of_bytes(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    writer = ArrayRecordWriter(str(shard), "group_size:1")
    for file, label in files:
        feature = {
            "image/encoded": of_bytes(file.read_bytes()),
            "image/filename": of_bytes(file.name.encode()),
            "image/class/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
        }
        example = tf.train.Example(features=tf.train.Features(feature=feature))
        writer.write(example.SerializeToString())
    writer.close()


def arrayrecord_alone(files: list[tuple[Path, int]], shard: Path) -> None:
    """`ArrayRecordWriter` alone: the bytes of the images as they are."""
    from array_record.python.array_record_module import ArrayRecordWriter

    writer = ArrayRecordWriter(str(shard), "group_size:1,uncompressed")
    for file, _ in files:
        writer.write(file.read_bytes())
    writer.close()


def _rows(files: list[tuple[Path, int]]) -> Iterator[dict[str, object]]:
    for file, label in files:
        yield {"image": {"bytes": file.read_bytes(), "path": file.name}, "label": label}


def parquet(folder: Path, output: Path, workers: int) -> None:
    """`Dataset.from_generator(…).to_parquet`, a file a shard, as the documentation of `datasets` has it."""
    from datasets import ClassLabel, Dataset, Features, Image

    names = sorted(path.name for path in folder.iterdir())
    features = Features({"image": Image(), "label": ClassLabel(names=names)})
    cache = str(output / "cache")
    dataset = Dataset.from_generator(
        _rows, features=features, gen_kwargs={"files": _files(folder)}, num_proc=workers, cache_dir=cache
    )
    shards = -(-len(dataset) // IMAGES_A_SHARD["parquet"])
    for number in range(shards):
        dataset.shard(shards, number, contiguous=True).to_parquet(output / f"train-{number:05d}.parquet")


WAYS: dict[str, Callable[[Path, Path, int], None]] = {
    "webdataset": partial(_in_shards, "webdataset", webdataset),
    "parquet": parquet,
    "arrayrecord": partial(_in_shards, "arrayrecord", arrayrecord),
    "arrayrecord_alone": partial(_in_shards, "arrayrecord_alone", arrayrecord_alone),
}
_NEEDS = {
    "webdataset": ("webdataset",),
    "parquet": ("datasets",),
    "arrayrecord": ("array_record", "tensorflow"),
    "arrayrecord_alone": ("array_record",),
}


def main(way: str, folder: str, output: str = "", workers: str = "2", durable: str = "") -> None:
    """Run one way, its output folder emptied before."""
    if folder == "check":
        for name in _NEEDS[way]:
            __import__(name)
        return
    shutil.rmtree(output, ignore_errors=True)
    Path(output).mkdir(parents=True)
    WAYS[way](Path(folder), Path(output), int(workers))
    for shard in Path(output).glob("train-*") if durable else ():
        with open(shard, "rb") as file:
            os.fsync(file.fileno())


if __name__ == "__main__":
    main(*sys.argv[1:])
