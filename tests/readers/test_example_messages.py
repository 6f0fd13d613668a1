"""Our messages are TensorFlow's: what we encode it reads, and what it writes we decode."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from imagenet_prep.formats import example

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
INTS = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40)
FLOATS = st.lists(st.floats(width=32, allow_nan=False), max_size=40)
BYTES = st.binary(max_size=300)
FEATURES = st.dictionaries(
    NAMES,
    st.tuples(st.just("int64_list"), INTS)
    | st.tuples(st.just("float_list"), FLOATS)
    | st.tuples(st.just("bytes_list"), st.lists(BYTES, max_size=4)),
    max_size=12,
)
KINDS = {"int64_list": tf.int64, "float_list": tf.float32, "bytes_list": tf.string}

Features = dict[str, tuple[str, list[Any]]]


def encode(features: Features) -> bytes:
    """Our encoding; the last feature, if it is a byte string, as images are put behind the others."""
    *first, last = features.items()
    entries = b"".join(entry(name, *feature) for name, feature in first)
    name, (kind, values) = last
    assert kind == "bytes_list"
    return example.around(entries, name, len(values[0])) + values[0]


def entry(name: str, kind: str, values: list[Any]) -> bytes:
    if kind == "int64_list":
        return example.int64_entry(name, values)
    if kind == "float_list":
        return example.float_entry(name, values)
    return example.bytes_entry(name, values[0])


def with_image(features: Features, image: bytes) -> Features:
    """Features as we write them: each list of bytes holds one, and the image is the last."""
    single = {name: (kind, values) for name, (kind, values) in features.items() if kind != "bytes_list" or values}
    single = {name: (kind, values[:1] if kind == "bytes_list" else values) for name, (kind, values) in single.items()}
    single.pop("image/encoded", None)
    return {**single, "image/encoded": ("bytes_list", [image])}


@settings(deadline=None, max_examples=300)
@given(FEATURES, st.binary(max_size=70_000))
def test_tensorflows_messages_parse_what_we_encode(features: Features, image: bytes) -> None:
    written = with_image(features, image)
    message = tf.train.Example.FromString(encode(written))
    read = {
        name: (kind := feature.WhichOneof("kind"), list(getattr(feature, kind).value))
        for name, feature in message.features.feature.items()
    }
    assert read == written


@settings(deadline=None, max_examples=100)
@given(FEATURES, st.binary(max_size=70_000))
def test_tensorflows_reading_operator_parses_what_we_encode(features: Features, image: bytes) -> None:
    written = with_image(features, image)
    specification = {name: tf.io.VarLenFeature(KINDS[kind]) for name, (kind, _) in written.items()}
    read = tf.io.parse_single_example(encode(written), specification)
    assert {name: values.values.numpy().tolist() for name, values in read.items()} == {
        name: values for name, (_, values) in written.items()
    }


@settings(deadline=None, max_examples=300)
@given(FEATURES)
def test_we_decode_what_tensorflow_serializes(features: Features) -> None:
    message = tf.train.Example()
    for name, (kind, values) in features.items():
        getattr(message.features.feature[name], kind).value.extend(values)
        getattr(message.features.feature[name], kind).SetInParent()  # an empty list is present, too
    assert example.decode(message.SerializeToString()) == {name: values for name, (_, values) in features.items()}


def test_not_a_number_stays_what_it_is() -> None:
    data = example.around(example.float_entry("box", [float("nan"), -0.0]), "image/encoded", 0)
    (nan, zero) = tf.train.Example.FromString(data).features.feature["box"].float_list.value
    assert nan != nan
    assert str(zero) == "-0.0"


@pytest.mark.parametrize("nbytes", [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_an_image_of_any_length_is_put_behind_the_other_features(nbytes: int) -> None:
    image = bytes(nbytes)
    data = example.around(example.int64_entry("label", [1]), "image/encoded", nbytes) + image
    features = tf.train.Example.FromString(data).features.feature
    assert features["image/encoded"].bytes_list.value[0] == image
    assert features["label"].int64_list.value[0] == 1
