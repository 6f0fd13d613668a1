"""ArrayRecord shards for Grain and TensorFlow Datasets, which read single records of them in any order.

A record is the Example of the TFRecords, with labels from 0. Google's library writes them, since the format has hashes
that only it computes at speed. Imports are light, since the Snakefile asks here at every start.
"""

from __future__ import annotations

import errno
import os
import shlex
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagenet_prep.engine.shard_set import Naming, files_by_split
from imagenet_prep.engine.step import Config, classes_of
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import example
from imagenet_prep.products import tfds
from imagenet_prep.products.shards import Row, ShardedProduct
from imagenet_prep.products.tfrecord import IMAGE, encode_features, examples

if TYPE_CHECKING:
    from imagenet_prep.engine.inputs import Inputs
    from imagenet_prep.formats.stream import Buffer
    from imagenet_prep.products.audit.readings import Reading

# A record by itself, as Grain wants it; images are compressed already.
_OPTIONS = "group_size:1,uncompressed"
_SEQUENTIAL = "readahead_buffer_size:16777216,max_parallelism:0"
_RECORDS_AT_A_TIME = 64


class ArrayRecord(ShardedProduct):
    """ArrayRecords of the training and the validation set, with the files by which TFDS reads them."""

    name = "arrayrecord"
    version = 1
    section: Mapping[str, Mapping[str, Any]] = {
        "train_shards": {"$ref": "#/$defs/shards", "default": 1024},
        "validation_shards": {"$ref": "#/$defs/shards", "default": 64},
    }
    jobs = ("arrayrecord_shards",)
    sidecars = tfds.DESCRIPTION
    sample_bytes = 520
    shard_bytes = granule = 1 << 16  # the last block of each shard says where its index is
    naming = Naming(f"{tfds.IMAGENET}-{{split}}.{tfds.ARRAY_RECORDS[0]}-{{shard:05d}}-of-{{shards:05d}}")

    def description_settings(self, config: Config) -> dict[str, Any]:
        """What the names of the labels follow from."""
        return {"classes": classes_of(config)}

    def describe(self, inputs: Inputs) -> None:
        """Write the features, the names of the labels, and the numbers of records."""
        splits, folder = files_by_split(inputs.all_of(self.name)), inputs.output_dir / self.path
        tfds.describe_imagenet(splits, inputs.numbered_wnids, folder, tfds.ARRAY_RECORDS)

    def write(self, file: FileIO, samples: Iterator[tuple[Row, Buffer]]) -> dict[str, Any]:
        """A record an image, as in the TFRecords."""
        from imagenet_prep import atomic

        path = str(file.name)
        with _errors_of_the_system(path), closing(_library().ArrayRecordWriter(path, _OPTIONS)) as writer:
            for row, image in samples:
                features = encode_features(row)
                writer.write(b"".join((example.around(features, IMAGE, len(image)), image)))
        return {"bytes": os.path.getsize(path), "crc32c": atomic.crc32c(path)}

    def read(self, config: Config, split: str, unit: Path, reencoded: Collection[str]) -> Reading:
        """Read a shard with the library's reader, which compares its hashes, and all features."""
        from imagenet_prep.products.audit.readings import read_whole

        return read_whole(unit, examples().schema.names, partial(_read, reencoded=reencoded))


def _read(path: Path, reencoded: Collection[str]) -> Iterator[Row]:
    with closing(_library().ArrayRecordReader(str(path), _SEQUENTIAL)) as reader:
        count = reader.num_records()
        for start in range(0, count, _RECORDS_AT_A_TIME):
            for record in reader.read(range(start, min(start + _RECORDS_AT_A_TIME, count))):
                yield dict(zip(examples().schema.names, examples().row(record, reencoded), strict=True))


def _library() -> Any:
    try:
        from array_record.python import array_record_module
    except ImportError as error:
        problem = "the package array-record, which writes and reads this format, is not installed here"
        remedy = f"Install it: {shlex.quote(sys.executable)} -m pip install array-record"
        raise PrepError(sys.executable, problem, remedy) from error
    return array_record_module


@contextmanager
def _errors_of_the_system(path: str) -> Iterator[None]:
    """Raise what the library says of the system's errors, such as a full disk, as the system does."""
    try:
        yield
    except RuntimeError as error:
        code = next((it for it in errno.errorcode if os.strerror(it) in str(error)), errno.EIO)
        raise OSError(code, os.strerror(code), path) from error
