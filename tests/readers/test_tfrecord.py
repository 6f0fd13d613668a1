"""The `tfrecord` package's data sets for PyTorch read the shards by our indexes, in a loader with workers."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from readers.reading import SIDES, Reading
from readers.snippets import snippet

# Put behind the README's code, it writes down what its loader gives, and what the data sets give that are asked for all
# features.
REPORT = """
import pickle

complete = [TFRecordDataset(str(shard), f"results/tfrecord_index/{shard.name}") for shard in shards]
with open("read.pickle", "wb") as file:
    pickle.dump([[dict(record) for record in records] for records in (loader, ChainDataset(complete))], file)
"""


def test_its_loader_gives_every_record_once(reading: Reading) -> None:
    # In a process of its own: its messages are called as TensorFlow's, and one process cannot have both.
    script = Path("tfrecord_loader.py")
    script.write_text(snippet("tfrecord", reading.split) + REPORT, encoding="utf-8")
    subprocess.run([sys.executable, script], check=True)
    with open("read.pickle", "rb") as file:
        loaded, complete = pickle.load(file)

    for image, record in zip(
        reading.found([record["image/filename"].decode() for record in complete]), complete, strict=True
    ):
        assert image.is_content(record["image/encoded"]), image.filename
        assert record["image/class/label"].tolist() == [image.index + 1]
        assert (record["image/class/synset"].decode(), record["image/class/text"].decode()) == (image.wnid, image.words)
        boxes = [record[f"image/object/bbox/{side}"] for side in SIDES]
        assert np.array_equal(np.stack(boxes, axis=1), image.boxes)
        assert record["image/object/bbox/label"].tolist() == [image.index + 1] * len(image.boxes)

    assert labelled(loaded) == labelled(complete)


def labelled(records: list[dict]) -> Counter[tuple[bytes, int]]:
    return Counter((record["image/encoded"], int(record["image/class/label"][0])) for record in records)
