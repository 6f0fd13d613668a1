"""tf.data reads the records: by the README's code, and by the parsing specifications of both TensorFlow scripts."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from readers.reading import SIDES, Reading
from readers.snippets import run

# As the training code of slim's `inception` has it, and that of the Cloud TPU guide's `resnet`.
SLIM = {
    "image/encoded": tf.io.FixedLenFeature([], tf.string, ""),
    "image/class/label": tf.io.FixedLenFeature([1], tf.int64, -1),
    "image/class/text": tf.io.FixedLenFeature([], tf.string, ""),
    **{f"image/object/bbox/{side}": tf.io.VarLenFeature(tf.float32) for side in SIDES},
}
TPU = {
    "image/encoded": tf.io.FixedLenFeature((), tf.string, ""),
    "image/class/label": tf.io.FixedLenFeature([], tf.int64, -1),
}


def records(reading: Reading) -> tf.data.TFRecordDataset:
    return tf.data.TFRecordDataset(tf.io.gfile.glob(f"results/tfrecord/{reading.split}-*"))


def names(reading: Reading) -> list[str]:
    """The file names in the order of the records."""
    messages = (tf.train.Example.FromString(record) for record in records(reading).as_numpy_iterator())
    return [message.features.feature["image/filename"].bytes_list.value[0].decode() for message in messages]


def test_the_readmes_code_decodes_every_image_with_its_label_and_boxes(reading: Reading) -> None:
    images = reading.found(names(reading))
    dataset = run("tf.data", reading.split)["dataset"]
    for image, (pixels, label, boxes) in zip(images, dataset.as_numpy_iterator(), strict=True):
        assert image.looks_like(pixels), image.filename
        assert label == image.index + 1
        assert np.array_equal(boxes, image.boxes[:, [1, 0, 3, 2]])


def test_slims_specification_finds_image_label_text_and_boxes(reading: Reading) -> None:
    images = reading.found(names(reading))
    examples = records(reading).map(lambda record: tf.io.parse_single_example(record, SLIM))
    for image, example in zip(images, examples, strict=True):
        assert image.is_content(example["image/encoded"].numpy()), image.filename
        assert example["image/class/label"].numpy().tolist() == [image.index + 1]
        assert example["image/class/text"].numpy().decode() == image.words
        for column, side in enumerate(SIDES):
            assert np.array_equal(example[f"image/object/bbox/{side}"].values, image.boxes[:, column])


def test_the_tpu_scripts_specification_finds_image_and_label(reading: Reading) -> None:
    images = reading.found(names(reading))
    examples = records(reading).map(lambda record: tf.io.parse_single_example(record, TPU))
    for image, example in zip(images, examples.as_numpy_iterator(), strict=True):
        assert image.is_content(example["image/encoded"]), image.filename
        assert example["image/class/label"] == image.index + 1
