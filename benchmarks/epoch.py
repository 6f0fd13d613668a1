"""One epoch of reading the training images in one of several ways, by itself in an environment that has the readers.

`epoch.py <way> <results> <workers> <order> <what>`; order: `shuffled` or `in order`; what: `bytes`, or `decoded` to 224
pixels, and then only some of them. Prints how many images were read and how many of them were the first batch, and the
seconds to the first batch and to the last one, without those of starting Python.
"""

from __future__ import annotations

import io
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from glob import glob
from pathlib import Path
from typing import Any

BATCH = 64
SIDE = 224
DECODED = 800
"""So many images are enough to tell how fast they are decoded: an epoch of all of them takes minutes."""

Way = Callable[["Epoch"], Iterable[Any]]


class Epoch:
    """What is read, and how.

    Attributes:
        results: of the workflow.
        workers: processes, or threads of readers that have none; 0: the process itself, in one thread.
        shuffled: whether in random order.
        decoded: whether images are decoded, or their bytes alone read.
    """

    def __init__(self, results: str, workers: str, order: str, what: str) -> None:
        self.results = Path(results)
        self.workers, self.shuffled, self.decoded = int(workers), order == "shuffled", what == "decoded"

    @property
    def archive(self) -> Path:
        """The training archive."""
        return next((self.results / "archives").glob("*_img_train.tar")).resolve()

    def decode(self, content: bytes) -> Any:
        """An image as an array, or as it is."""
        if not self.decoded:
            return content
        import numpy as np
        from PIL import Image

        picture = Image.open(io.BytesIO(content))
        picture.draft("RGB", (SIDE, SIDE))
        return np.asarray(picture.convert("RGB").resize((SIDE, SIDE)))

    def loaded(self, dataset: Any, sampler: Any = None) -> Iterator[int]:
        """Batches of a PyTorch `DataLoader`."""
        from torch.utils.data import DataLoader

        order = {"sampler": sampler} if sampler else {"shuffle": self.shuffled}
        for batch in DataLoader(dataset, BATCH, num_workers=self.workers, collate_fn=list, **order):
            yield len(batch)


class _Files:
    """The files of class folders, without torchvision, whose operators need not fit the torch that is there."""

    def __init__(self, epoch: Epoch, top: Path) -> None:
        self._epoch = epoch
        self._paths = sorted(glob(f"{top}/*/*"))

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, number: int) -> tuple[Any, int]:
        with open(self._paths[number], "rb") as file:
            return self._epoch.decode(file.read()), 0


def cat(epoch: Epoch) -> Iterator[int]:
    """The archive from front to back, as one batch of all its images."""
    images = sum(1 for _ in glob(f"{epoch.results}/imagefolder/train/*/*"))
    with open(epoch.archive, "rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        yield 0
        while file.readinto(buffer):
            pass
    yield images


def class_folders(epoch: Epoch) -> Iterator[int]:
    """PyTorch over class folders."""
    return epoch.loaded(_Files(epoch, epoch.results / "imagefolder" / "train"))


def images(epoch: Epoch) -> Iterator[int]:
    """PyTorch over the archive."""
    from imagenet_prep.reading import Images

    return epoch.loaded(Images(epoch.results, transform=epoch.decode))


def images_in_blocks(epoch: Epoch) -> Iterator[int]:
    """The same, with `BlockShuffle`."""
    from imagenet_prep.reading import BlockShuffle, Images

    found = Images(epoch.results, transform=epoch.decode)
    return epoch.loaded(found, BlockShuffle(found, mixed=16, seed=random.randrange(1 << 30)))


def mounted(epoch: Epoch) -> Iterator[int]:
    """PyTorch over the archive that ratarmount shows as class folders."""
    return epoch.loaded(_Files(epoch, epoch.results.parent / "mounted" / "train"))


def tfrecords(epoch: Epoch) -> Iterator[int]:
    """TFRecords by tf.data."""
    import tensorflow as tf

    files = tf.data.Dataset.from_tensor_slices(sorted(glob(f"{epoch.results}/tfrecord/train-*")))
    threads = max(1, epoch.workers)
    if epoch.shuffled:
        files = files.shuffle(1 << 10)
    dataset = files.interleave(tf.data.TFRecordDataset, cycle_length=threads, num_parallel_calls=threads)
    dataset = dataset.shuffle(1 << 10) if epoch.shuffled else dataset
    feature = {"image/encoded": tf.io.FixedLenFeature([], tf.string)}

    def parse(record: Any) -> Any:
        content = tf.io.parse_single_example(record, feature)["image/encoded"]
        if not epoch.decoded:
            return content
        return tf.image.resize(tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_FAST"), (SIDE, SIDE))

    options = tf.data.Options()
    options.threading.private_threadpool_size = threads + 2  # else its stages wait for each other
    batches = dataset.map(parse, num_parallel_calls=threads).batch(BATCH).prefetch(2).with_options(options)
    return (len(batch) for batch in batches)


def _of_dali(epoch: Epoch, read: Callable[[dict[str, Any]], Any]) -> Iterator[int]:
    from nvidia.dali import fn, pipeline_def

    @pipeline_def(batch_size=BATCH, num_threads=max(1, epoch.workers), device_id=None)
    def pipeline() -> Any:
        content = read({"random_shuffle": epoch.shuffled, "name": "reader"})
        if epoch.decoded:
            content = fn.resize(fn.decoders.image(content, device="cpu"), size=(SIDE, SIDE))
        return content

    made = pipeline()
    made.build()
    images = made.epoch_size("reader")
    for start in range(0, images, BATCH):
        (batch,) = made.run()
        yield min(len(batch), images - start)  # the last batch is filled up


def tfrecords_dali(epoch: Epoch) -> Iterator[int]:
    """TFRecords by DALI, with the indexes."""
    from nvidia.dali import fn, tfrecord

    feature = {"image/encoded": tfrecord.FixedLenFeature((), tfrecord.string, "")}
    paths = [sorted(glob(f"{epoch.results}/{folder}/train-*")) for folder in ("tfrecord", "tfrecord_index")]
    places = {"path": paths[0], "index_path": paths[1], "features": feature}
    return _of_dali(epoch, lambda how: fn.readers.tfrecord(**places, **how)["image/encoded"])


def archive_dali(epoch: Epoch) -> Iterator[int]:
    """The archive by DALI, with its index."""
    from nvidia.dali import fn

    index = str(epoch.results / "archive_index" / "dali" / "train.idx")
    places = {"paths": str(epoch.archive), "index_paths": index, "ext": ["jpg"], "dont_use_mmap": True}
    return _of_dali(epoch, lambda how: fn.readers.webdataset(**places, **how))


WAYS: dict[str, Way] = {
    "cat of the archive": cat,
    "class folders": class_folders,
    "Images": images,
    "Images, BlockShuffle": images_in_blocks,
    "class folders, mounted by ratarmount": mounted,
    "TFRecords by tf.data": tfrecords,
    "TFRecords by DALI": tfrecords_dali,
    "archive by DALI": archive_dali,
}


def main(way: str, *how: str) -> None:
    """Read an epoch, and print its figures; with `check` in place of the results only whether the reader is there."""
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="")
    epoch = Epoch(*how)
    if "tf.data" in way:
        import tensorflow  # noqa: F401 - not to be measured
    elif "DALI" in way:
        import nvidia.dali  # noqa: F401
    else:
        import numpy  # noqa: F401
        import torch.utils.data  # noqa: F401
    start = time.perf_counter()
    batches = iter(WAYS[way](epoch))
    count = of_first = next(batches)
    first = time.perf_counter() - start
    for size in batches:
        count += size
        if epoch.decoded and count >= DECODED:
            break
    seconds = time.perf_counter() - start
    figures = {
        "images": count,
        "first_images": of_first,
        "first_batch_s": round(first, 3),
        "last_batch_s": round(seconds, 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
