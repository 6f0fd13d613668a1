"""`tf.train.Example` messages, with Google's protocol buffers as the judge."""

from __future__ import annotations

import contextlib
import math
import struct
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import example as with_example
from hypothesis import given
from hypothesis import strategies as st

from imagenet_prep.formats import example
from imagenet_prep.formats.example import Value

KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
BYTES = st.binary(max_size=300)
INTS = st.lists(st.integers(-(1 << 63), (1 << 63) - 1), max_size=5)
FLOATS = st.lists(st.floats(width=32, allow_nan=False), max_size=5)


def build_message() -> Any:
    """The message class, from the fields of TensorFlow's example.proto and feature.proto."""
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tensorflow", syntax="proto3")
    field = descriptor_pb2.FieldDescriptorProto
    for name, kind in (
        ("BytesList", field.TYPE_BYTES),
        ("FloatList", field.TYPE_FLOAT),
        ("Int64List", field.TYPE_INT64),
    ):
        values = file.message_type.add(name=name)
        values.field.add(name="value", number=1, type=kind, label=field.LABEL_REPEATED)
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, name in enumerate(("Bytes", "Float", "Int64"), 1):
        feature.field.add(
            name=f"{name.lower()}_list",
            number=number,
            type=field.TYPE_MESSAGE,
            type_name=f".tensorflow.{name}List",
            label=field.LABEL_OPTIONAL,
            oneof_index=0,
        )
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    message = {"type": field.TYPE_MESSAGE, "label": field.LABEL_OPTIONAL}
    entry.field.add(name="value", number=2, type_name=".tensorflow.Feature", **message)
    repeated = {"type": field.TYPE_MESSAGE, "label": field.LABEL_REPEATED}
    features.field.add(name="feature", number=1, type_name=".tensorflow.Features.FeatureEntry", **repeated)
    outer = file.message_type.add(name="Example")
    outer.field.add(name="features", number=1, type_name=".tensorflow.Features", **message)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


Example = build_message()


def parsed(data: bytes) -> dict[str, Value]:
    """The features as Google's parser reads them."""
    features = Example.FromString(data).features.feature
    found: dict[str, Value] = {}
    for key in features:
        kind = features[key].WhichOneof("kind")
        found[key] = list(getattr(features[key], kind).value) if kind else []
    return found


def whole(entries: bytes, key: str, value: bytes) -> bytes:
    return example.around(entries, key, len(value)) + value


@given(BYTES, BYTES)
def test_byte_strings_are_read_by_protobuf(value: bytes, last: bytes) -> None:
    assert parsed(whole(example.bytes_entry("a", value), "z", last)) == {"a": [value], "z": [last]}


@given(INTS, BYTES)
def test_integers_are_read_by_protobuf(values: list[int], last: bytes) -> None:
    assert parsed(whole(example.int64_entry("a", values), "z", last)) == {"a": values, "z": [last]}


@given(FLOATS, BYTES)
def test_floats_are_read_by_protobuf(values: list[float], last: bytes) -> None:
    assert parsed(whole(example.float_entry("a", values), "z", last)) == {"a": values, "z": [last]}


@given(KEYS, KEYS)
def test_any_name_is_read_by_protobuf(first: str, last: str) -> None:
    assert parsed(whole(example.int64_entry(first, [1]), last, b"x"))[last] == [b"x"]


@pytest.mark.parametrize("size", [0, 1, 127, 128, 16383, 16384, 1 << 21])
def test_the_lengths_around_an_image_of_any_size_are_right(size: int) -> None:
    image = bytes(size)
    assert parsed(whole(example.int64_entry("a", [1]), "image/encoded", image)) == {"a": [1], "image/encoded": [image]}


def test_an_empty_list_is_there_with_its_kind() -> None:
    entries = example.int64_entry("ints", []) + example.float_entry("floats", [])
    features = Example.FromString(whole(entries, "z", b"")).features.feature
    assert {key: features[key].WhichOneof("kind") for key in ("ints", "floats")} == {
        "ints": "int64_list",
        "floats": "float_list",
    }


def test_a_double_is_rounded_to_the_nearest_float() -> None:
    nearest = struct.unpack("<f", struct.pack("<f", 0.1))[0]
    assert parsed(whole(example.float_entry("a", [0.1]), "z", b""))["a"] == [nearest]


@given(st.dictionaries(KEYS, st.lists(BYTES, max_size=3) | INTS | FLOATS, max_size=6))
@with_example({"empty": []})
def test_what_protobuf_writes_is_read(features: dict[str, Any]) -> None:
    message = Example()
    for key, values in features.items():
        feature = message.features.feature[key]
        if not values:
            feature.SetInParent()
        elif isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        elif isinstance(values[0], int):
            feature.int64_list.value.extend(values)
        else:
            feature.float_list.value.extend(values)
    assert example.decode(message.SerializeToString()) == features


@given(INTS, FLOATS, BYTES)
def test_what_is_encoded_is_decoded(ints: list[int], floats: list[float], last: bytes) -> None:
    data = whole(example.int64_entry("i", ints) + example.float_entry("f", floats), "z", last)
    for buffer in (data, memoryview(data)):
        assert example.decode(buffer) == {"i": ints, "f": floats, "z": [last]}


def test_a_float_that_is_no_number_is_decoded() -> None:
    (value,) = example.decode(whole(example.float_entry("a", [math.nan]), "z", b""))["a"]
    assert isinstance(value, float)
    assert math.isnan(value)


@given(st.integers(0, (1 << 64) - 1))
def test_a_varint_has_seven_bits_a_byte_the_lowest_first(value: int) -> None:
    encoded = example.varint(value)
    assert sum((byte & 0x7F) << 7 * i for i, byte in enumerate(encoded)) == value
    assert [byte >> 7 for byte in encoded] == [1] * (len(encoded) - 1) + [0]


@given(st.binary(max_size=200))
def test_other_bytes_are_decoded_or_are_no_example(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        example.decode(data)


@given(st.data())
def test_a_corrupt_example_is_decoded_or_is_none(data: st.DataObject) -> None:
    encoded = bytearray(
        whole(example.float_entry("f", [0.5, 1.0]) + example.int64_entry("i", [-1, 1 << 40]), "z", b"zz")
    )
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(ValueError):
        example.decode(bytes(encoded[: data.draw(st.integers(0, len(encoded)))]))


def test_an_example_that_is_cut_off_is_none() -> None:
    data = whole(example.int64_entry("a", [1]), "z", b"image")
    for cut in range(1, len(data)):
        with pytest.raises(ValueError, match=r"no tf\.train\.Example"):
            example.decode(data[:cut])


@pytest.mark.parametrize("kind", [4, 9])
def test_a_list_of_an_unknown_kind_is_no_example(kind: int) -> None:
    feature = bytes([kind << 3 | 2, 0])
    entry = b"\x0a\x01a\x12" + bytes([len(feature)]) + feature
    features = b"\x0a" + bytes([len(entry)]) + entry
    with pytest.raises(ValueError, match=r"no tf\.train\.Example"):
        example.decode(b"\x0a" + bytes([len(features)]) + features)


def field(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2, len(content)]) + content


NAME, ONE = field(1, b"a"), field(3, field(1, b"\x01"))
FEATURE = field(1, NAME + field(2, ONE))
NOT_STRICT = {
    "a feature twice": field(1, FEATURE + FEATURE),
    "features twice": field(1, FEATURE) + field(1, FEATURE),
    "a field more": field(1, FEATURE) + field(2, b""),
    "an entry of number 0": field(1, field(0, NAME + field(2, ONE))),
    "values before the name": field(1, field(1, field(2, ONE) + NAME)),
    "a name twice": field(1, field(1, NAME + NAME + field(2, ONE))),
    "two kinds": field(1, field(1, NAME + field(2, ONE + field(1, b"")))),
    "two pieces": field(1, field(1, NAME + field(2, field(3, field(1, b"\x01") + field(1, b"\x02"))))),
    "not packed": field(1, field(1, NAME + field(2, field(3, b"\x08\x01")))),
    "an entry longer than the whole": b"\x0a"
    + bytes([len(FEATURE)])
    + FEATURE[:1]
    + bytes([FEATURE[1] + 1])
    + FEATURE[2:],
}


@pytest.mark.parametrize("data", NOT_STRICT.values(), ids=NOT_STRICT)
def test_what_nobody_means_is_no_example(data: bytes) -> None:
    assert example.decode(field(1, FEATURE)) == {"a": [1]}
    with pytest.raises(ValueError, match=r"no tf\.train\.Example"):
        example.decode(data)
