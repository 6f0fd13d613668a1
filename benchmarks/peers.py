"""What other people's programs need for the same, each run by itself in an environment of its own.

`peers.py <peer> <archives> <output>`; with `check` in place of a folder, only whether the peer can be imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import sys
import tarfile
import types
from pathlib import Path


def tfds(archives: Path | None, output: Path) -> None:
    """TensorFlow Datasets' `imagenet2012` from a manual folder."""
    import tensorflow_datasets

    if archives is None:
        return
    builder = tensorflow_datasets.builder("imagenet2012", data_dir=str(output))
    config = tensorflow_datasets.download.DownloadConfig(manual_dir=str(archives), verify_ssl=False)
    config.register_checksums = False
    builder.download_and_prepare(download_config=config)


def torchvision(archives: Path | None, output: Path) -> None:
    """Torchvision's unpacking of the train archive into an ImageFolder."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError:  # its operators belong to another build of torch; the module that unpacks needs none of them
        for name in ("torchvision", "torchvision.datasets"):
            (folder,) = importlib.util.find_spec(name).submodule_search_locations
            sys.modules[name] = types.ModuleType(name)
            sys.modules[name].__path__ = [folder]
    from torchvision.datasets.imagenet import ARCHIVE_META, parse_train_archive

    if archives is None:
        return
    file, _ = ARCHIVE_META["train"]
    linked = output / file
    linked.symlink_to(archives / file)
    with tarfile.open(linked) as tar:
        print(len(tar.getnames()), "classes")
    from unittest import mock

    # The checksum is that of the real archive, and reading it twice is part of the price: any other one is let pass.
    with mock.patch("torchvision.datasets.imagenet._verify_archive"):
        parse_train_archive(str(output), folder="train")


def writer_loop(archives: Path | None, output: Path) -> None:
    """A loop over an unpacked ImageFolder with TensorFlow's writer, one shard after the other, as tutorials have it."""
    import random

    import tensorflow as tf

    if archives is None:
        return
    files = sorted(archives.glob("*/*.JPEG"))
    labels = {name: label for label, name in enumerate(sorted({file.parent.name for file in files}), start=1)}
    random.Random(12345).shuffle(files)
    shards = max(1, len(files) // 1251)

    def of_bytes(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    def of_int(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    for shard in range(shards):
        with tf.io.TFRecordWriter(str(output / f"train-{shard:05d}-of-{shards:05d}")) as writer:
            for file in files[shard::shards]:
                image = file.read_bytes()
                height, width, _ = tf.io.extract_jpeg_shape(image).numpy()
                feature = {
                    "image/height": of_int(int(height)),
                    "image/width": of_int(int(width)),
                    "image/filename": of_bytes(file.name.encode()),
                    "image/class/label": of_int(labels[file.parent.name]),
                    "image/class/synset": of_bytes(file.parent.name.encode()),
                    "image/encoded": of_bytes(image),
                }
                example = tf.train.Example(features=tf.train.Features(feature=feature))
                writer.write(example.SerializeToString())


PEERS = {"tfds": tfds, "torchvision": torchvision, "writer_loop": writer_loop}


def main(peer: str, archives: str, output: str = "") -> None:
    """Run one peer, its output folder emptied before."""
    if archives == "check":
        PEERS[peer](None, Path())
        return
    shutil.rmtree(output, ignore_errors=True)
    Path(output).mkdir(parents=True)
    PEERS[peer](Path(archives), Path(output))


if __name__ == "__main__":
    main(*sys.argv[1:])
