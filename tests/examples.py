"""Records as other programs read them: framing by hand from its definition, messages by Google's protocol buffers."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfrecord import example_pb2


def read_examples(path: Path) -> Iterator[dict[str, Any]]:
    """The features of every record of a shard, by name; lists of bytes, floats or ints."""
    with open(path, "rb") as file:
        while header := file.read(12):
            (length,) = struct.unpack("<Q", header[:8])
            message = example_pb2.Example.FromString(file.read(length))
            file.read(4)
            yield {
                name: list(getattr(feature, feature.WhichOneof("kind")).value)
                for name, feature in message.features.feature.items()
            }


def read_split(folder: Path, split: str, name: str = "image/filename") -> dict[str, dict[str, Any]]:
    """The features of all records of a split by file name, which the feature `name` holds."""
    found = {}
    for path in sorted(folder.glob(f"{split}-*")):
        for features in read_examples(path):
            found[features[name][0].decode()] = features
    return found
