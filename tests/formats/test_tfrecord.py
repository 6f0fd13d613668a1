"""TFRecord framing: what is written is read by others, and every damage is found where it is."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st
from tfrecord import reader

from imagenet_prep.errors import PrepError
from imagenet_prep.formats import tfrecord
from imagenet_prep.formats.stream import Stream

REFLECTED = 0x82F63B78  # the Castagnoli polynomial, lowest bit first
RECORDS = [b"first", b"", b"x" * 3000, bytes(range(256))]


def framed(data: bytes) -> bytes:
    header, footer = tfrecord.frame([data])
    return header + data + footer


def shard(path: Path, records: list[bytes] = RECORDS) -> Path:
    path.write_bytes(b"".join(map(framed, records)))
    return path


def offsets(records: list[bytes]) -> list[int]:
    return [sum(len(record) + 16 for record in records[:i]) for i in range(len(records))]


def read(data: bytes) -> list[tuple[int, bytes]]:
    with Stream(io.BytesIO(data)) as stream:
        return [(offset, bytes(record)) for offset, record in tfrecord.records(stream, "a shard")]


def told(place: object, offset: int, problem: str) -> str:
    """The line for a person, word for word."""
    return f"{place}, byte {offset}: {problem}. Delete this file and run the workflow again: it is made anew."


def crc_bit_by_bit(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (REFLECTED if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked_by_digits(crc: int) -> int:
    """TensorFlow's mask: the 15 lowest bits move to the front, then a constant is added."""
    bits = f"{crc:032b}"
    return (int(bits[-15:] + bits[:-15], 2) + 0xA282EAD8) % 2**32


# The vectors of RFC 3720, B.4.
@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
    ],
)
def test_the_checksum_is_the_castagnoli_crc_of_the_rfc(data: bytes, crc: int) -> None:
    footer = tfrecord.frame([data])[1]
    assert struct.unpack("<I", footer)[0] == masked_by_digits(crc)


@pytest.mark.parametrize("length", [0, 1, 255, 110_000])
def test_a_record_begins_with_its_length_and_the_checksum_of_that(length: int) -> None:
    packed = length.to_bytes(8, "little")
    checksum = masked_by_digits(crc_bit_by_bit(packed)).to_bytes(4, "little")
    assert tfrecord.frame([bytes(length)])[0] == packed + checksum


@given(st.integers(0, (1 << 32) - 1))
def test_the_mask_can_be_taken_off(crc: int) -> None:
    rotated = (tfrecord.masked(crc) - 0xA282EAD8) % 2**32
    assert (rotated >> 17 | rotated << 15) & 0xFFFFFFFF == crc


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4))
def test_a_record_in_parts_is_framed_as_one(parts: list[bytes]) -> None:
    assert tfrecord.frame(parts) == tfrecord.frame([b"".join(parts)])


@given(st.lists(st.binary(max_size=2000), max_size=8))
def test_records_come_back_with_their_offsets(records: list[bytes]) -> None:
    data = b"".join(map(framed, records))
    assert read(data) == list(zip(offsets(records), records, strict=True))


def test_another_reader_reads_the_records(tmp_path: Path) -> None:
    path = shard(tmp_path / "shard")
    assert [bytes(record) for record in reader.tfrecord_iterator(str(path))] == RECORDS


def test_the_ranges_of_the_records_cover_the_file(tmp_path: Path) -> None:
    path = shard(tmp_path / "shard")
    assert list(tfrecord.record_ranges(path)) == [
        (offset, len(record) + 16) for offset, record in zip(offsets(RECORDS), RECORDS, strict=True)
    ]


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    assert list(tfrecord.record_ranges(shard(tmp_path / "shard", []))) == []


def test_a_shard_cut_off_anywhere_is_an_error_at_its_last_record(tmp_path: Path) -> None:
    whole = shard(tmp_path / "shard").read_bytes()
    starts = [*offsets(RECORDS), len(whole)]
    for cut in {*range(0, len(whole), 7), *range(len(whole) - 20, len(whole))} - set(starts):
        last = max(start for start in starts if start < cut)
        (tmp_path / "shard").write_bytes(whole[:cut])
        for attempt in (lambda: list(tfrecord.record_ranges(tmp_path / "shard")), lambda cut=cut: read(whole[:cut])):
            with pytest.raises(PrepError) as caught:
                attempt()
            assert str(caught.value) == told(caught.value.place, last, "the record that begins here is cut off")


@pytest.mark.parametrize("byte", range(12))
def test_a_damaged_length_is_an_error_that_names_its_place(tmp_path: Path, byte: int) -> None:
    path = shard(tmp_path / "shard")
    data = bytearray(path.read_bytes())
    start = offsets(RECORDS)[2]
    data[start + byte] ^= 0x10
    path.write_bytes(data)
    for attempt in (lambda: list(tfrecord.record_ranges(path)), lambda: read(bytes(data))):
        with pytest.raises(PrepError) as caught:
            attempt()
        assert str(caught.value) == told(caught.value.place, start, "the checksum of a record's length does not hold")


def test_damaged_data_are_an_error_that_names_the_record() -> None:
    data = bytearray(b"".join(map(framed, RECORDS)))
    start = offsets(RECORDS)[3]
    data[start + 12 + 100] ^= 1
    with pytest.raises(PrepError) as caught:
        read(bytes(data))
    assert str(caught.value) == told("a shard", start, "the record's checksum does not hold: its data are damaged")


@pytest.mark.parametrize(
    ("length", "problem"),
    [(1 << 31, "the record that begins here is cut off"), ((1 << 31) + 1, f"a record claims {(1 << 31) + 1} bytes")],
)
def test_no_record_of_more_than_two_gigabytes_is_believed(length: int, problem: str) -> None:
    packed = struct.pack("<Q", length)
    data = framed(b"first") + packed + struct.pack("<I", tfrecord.masked(crc32c(packed))) + bytes(100)
    with pytest.raises(PrepError) as caught:
        read(data)
    assert str(caught.value) == told("a shard", len(framed(b"first")), problem)
