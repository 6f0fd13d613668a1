"""What somebody who means well does to a text, a table or a shard: each from its content to another one."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

from imagenet_prep.formats import example, tfrecord
from imagenet_prep.formats.stream import Stream

Edit = Callable[[bytes, random.Random], bytes]


def a_letter(content: bytes, chance: random.Random) -> bytes:
    """One letter or digit another one."""
    places = [match.start() for match in re.finditer(rb"[A-Za-z0-9]", content)]
    place = chance.choice(places)
    other = b"7" if content[place : place + 1] != b"7" else b"3"
    return content[:place] + other + content[place + 1 :]


def a_line_less(content: bytes, chance: random.Random) -> bytes:
    """A line taken out."""
    lines = content.splitlines(keepends=True)
    del lines[chance.randrange(len(lines))]
    return b"".join(lines)


def lines_in_another_order(content: bytes, chance: random.Random) -> bytes:
    """All lines shuffled."""
    lines = content.splitlines(keepends=True)
    return b"".join(chance.sample(lines, len(lines)))


def ends_of_windows(content: bytes, chance: random.Random) -> bytes:
    r"""`\r\n` at the end of each line."""
    return content.replace(b"\n", b"\r\n")


def a_line_more(content: bytes, chance: random.Random) -> bytes:
    """An empty line at the end."""
    return content + b"\n"


def in_one_line(content: bytes, chance: random.Random) -> bytes:
    """JSON without white space; a receipt that is none any more stays as it is."""
    try:
        return json.dumps(json.loads(content), separators=(",", ":")).encode()
    except ValueError:
        return content


def a_value(content: bytes, chance: random.Random) -> bytes:
    """A value in a table another one."""
    table = pq.read_table(pa.BufferReader(content))
    name = chance.choice([it.name for it in table.schema if not pa.types.is_nested(it.type)])
    values = table[name].to_pylist()
    row = chance.randrange(len(values))
    old = values[row]
    values[row] = not old if isinstance(old, bool) else old + 1 if isinstance(old, int | float) else f"{old or ''}x"
    try:
        column = pa.array(values, table.schema.field(name).type)
    except (pa.ArrowException, OverflowError):
        return rows_in_another_order(content, chance)
    return _written(table.set_column(table.schema.get_field_index(name), table.schema.field(name), column))


def rows_in_another_order(content: bytes, chance: random.Random) -> bytes:
    """The rows of a table backwards."""
    table = pq.read_table(pa.BufferReader(content))
    return _written(table.take(pa.array(range(len(table) - 1, -1, -1))))


def written_again(content: bytes, chance: random.Random) -> bytes:
    """The same table, as another program writes it."""
    return _written(pq.read_table(pa.BufferReader(content)))


def records_in_another_order(content: bytes, chance: random.Random) -> bytes:
    """The records of a shard backwards."""
    return _framed(_records(content)[::-1])


def a_record_less(content: bytes, chance: random.Random) -> bytes:
    """A record taken out."""
    records = _records(content)
    del records[chance.randrange(len(records))]
    return _framed(records)


def a_feature_more(content: bytes, chance: random.Random) -> bytes:
    """A feature of one's own in a record."""
    return _with_features(content, chance, example.int64_entry("mine", [chance.randrange(100)]))


def a_feature_again(content: bytes, chance: random.Random) -> bytes:
    """A second label in a record: parsers take the last one."""
    return _with_features(content, chance, example.int64_entry("image/class/label", [chance.randrange(1, 9)]))


def another_picture(content: bytes, chance: random.Random) -> bytes:
    """A file with some bytes behind its end."""
    return content + b"edited"


def _written(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, compression="snappy")
    return file.getvalue()


def _records(content: bytes) -> list[bytes]:
    with Stream(io.BytesIO(content)) as stream:
        return [bytes(data) for _, data in tfrecord.records(stream, "shard")]


def _framed(records: list[bytes]) -> bytes:
    framed = b""
    for data in records:
        header, footer = tfrecord.frame([data])
        framed += header + data + footer
    return framed


def _with_features(content: bytes, chance: random.Random, entry: bytes) -> bytes:
    records = _records(content)
    number = chance.randrange(len(records))
    data = records[number]
    _, start = example._read_varint(data, 1)
    features = data[start:] + entry
    records[number] = b"\x0a" + example.varint(len(features)) + features
    return _framed(records)


TEXT: list[Edit] = [a_letter, a_line_less, lines_in_another_order, ends_of_windows, a_line_more]
JSON: list[Edit] = [a_letter, a_line_less, in_one_line, ends_of_windows]
TABLE: list[Edit] = [a_value, rows_in_another_order, written_again]
SHARD: list[Edit] = [records_in_another_order, a_record_less, a_feature_more, a_feature_again, another_picture]
