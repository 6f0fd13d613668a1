"""What one reading of a unit gives the audit: samples as rows, of whatever its format carries of them.

The columns have the same names in all formats, so that one comparison serves all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from multiprocessing import get_context
from operator import itemgetter
from pathlib import Path
from typing import Any

import crc32c as checksums
import pyarrow as pa

from imagenet_prep import signals
from imagenet_prep.datasets.dataset import BOX_SIDES
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import picture, tfrecord
from imagenet_prep.formats.stream import Buffer, EndOfStream, Stream
from imagenet_prep.products.audit.originals import Originals

PATH, FILENAME, OFFSET, SIZE, PLACE = "path", "filename", "offset", "size", "place"
LENGTH, CRC32C, HEADER = "length", "crc32c", "header"
LABEL, CLASS_INDEX, WNID, BOX_LABELS = "label", "class_index", "wnid", "box_labels"

# A path is that of a sample that is a file of its own; offset and size are where a sample lies in its unit's file; a
# place is where an image lies in its archive.
_TYPES = {
    **dict.fromkeys((PATH, FILENAME, WNID, "text", "format", HEADER), pa.string()),
    **dict.fromkeys((OFFSET, SIZE, PLACE, LENGTH, LABEL, CLASS_INDEX, "width", "height"), pa.int64()),
    CRC32C: pa.uint32(),
    BOX_LABELS: pa.list_(pa.int64()),
    **dict.fromkeys(BOX_SIDES, pa.list_(pa.float32())),
}


@dataclass(frozen=True)
class Reading:
    """What came of reading a unit once.

    Attributes:
        samples: a row each, with the columns that the format carries; of a file that is not whole, none.
        sums: SHA-256 of the files in it that are published, by path.
        crcs: CRC-32C of these, in hexadecimal.
        problems: why a file in it could not be read.
    """

    samples: pa.Table
    sums: Mapping[Path, str] = field(default_factory=dict)
    crcs: Mapping[Path, str] = field(default_factory=dict)
    problems: tuple[PrepError, ...] = ()


def schema_of(columns: Iterable[str], own: Mapping[str, pa.DataType] | None = None) -> pa.Schema:
    """The types of columns that samples of several formats have, and of those that one alone has."""
    types = {**_TYPES, **(own or {})}
    return pa.schema([(name, types[name]) for name in columns])


def read_file(path: Path, schema: pa.Schema, rows: Callable[[Stream], Iterable[Mapping[str, Any]]]) -> Reading:
    """Read a file of samples as `read_rows` does, each sample a mapping with more than the columns, perhaps."""
    columns_of = itemgetter(*schema.names)
    return read_rows(path, schema, lambda stream: map(columns_of, rows(stream)))


def read_rows(path: Path, schema: pa.Schema, rows: Callable[[Stream], Iterable[tuple[Any, ...]]]) -> Reading:
    """Read a file of samples once, front to back.

    Args:
        path: the file.
        schema: of the samples.
        rows: gives the samples of a stream of the file's bytes, one after the other, each a value a column; raises
            `PrepError`, or what comes of bytes that are not as they should be.

    Returns:
        The samples and the file's SHA-256; or the first error in it.
    """

    def table(stream: Stream) -> pa.Table:
        try:
            samples = list(rows(stream))
        except (ValueError, KeyError, IndexError, AttributeError, TypeError) as error:
            # Whatever damaged bytes can raise in code that expects good ones.
            problem = f"the sample that ends about here is not what it should be ({error})"
            raise PrepError(path, problem, tfrecord.REMEDY, offset=stream.offset) from error
        columns = zip(*samples, strict=True) if samples else [()] * len(schema)
        return pa.table(list(columns), schema=schema)

    return _read_once(path, schema, table)


def _read_once(path: Path, schema: pa.Schema, table: Callable[[Stream], pa.Table]) -> Reading:
    try:
        with open(path, "rb", buffering=0) as file, Stream(file, "sha256", with_crc32c=True) as stream:
            samples = table(stream)
            stream.drain()
            return Reading(samples, {path: stream.hexdigest()}, {path: stream.crc32c()})
    except PrepError as error:
        return Reading(schema.empty_table(), problems=(error,))
    except EndOfStream:
        problem = "it ends in the middle of a sample: it is cut off"
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
    except (pa.ArrowException, OverflowError) as error:
        problem = f"its samples are of other types than they should be ({error})"
    return Reading(schema.empty_table(), problems=(PrepError(path, problem, tfrecord.REMEDY),))


def read_whole(path: Path, columns: Sequence[str], rows: Callable[[Path], Iterable[Mapping[str, Any]]]) -> Reading:
    """Read a file of samples whose format wants it whole: its checksums first, then what it holds.

    Args:
        path: the file.
        columns: of the samples.
        rows: gives the samples of the file, one after the other; raises what comes of damaged bytes.
    """

    def behind(stream: Stream) -> Iterator[Mapping[str, Any]]:
        stream.drain()
        with _damage(path):
            yield from rows(path)

    return read_file(path, schema_of(columns), behind)


def read_tables(path: Path, columns: Sequence[str], parts: Callable[[Path], Iterable[Mapping[str, Any]]]) -> Reading:
    """Read a file as `read_whole` does, of small samples: `parts` gives many at a time, a list a column."""
    schema = schema_of(columns)

    def table(stream: Stream) -> pa.Table:
        stream.drain()
        with _damage(path):
            return pa.concat_tables([schema.empty_table(), *(pa.table(dict(it), schema=schema) for it in parts(path))])

    return _read_once(path, schema, table)


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, LookupError, AttributeError, TypeError, RuntimeError) as error:
        problem = f"it is damaged and cannot be read ({str(error).strip() or type(error).__name__})"
        raise PrepError(path, problem, tfrecord.REMEDY) from error


def read_apart(
    output_dir: Path,
    step: str,
    path: Path,
    columns: Sequence[str],
    rows: Callable[[Path], Iterable[Mapping[str, Any]]],
) -> Reading:
    """Read a file as `read_whole` does, of a format in which damage can end the process that reads it.

    A file that is not as the receipts of `step` say is read in a process of its own, so that the audit goes on.
    """
    originals = _originals(output_dir, step)
    name = path.relative_to(output_dir).as_posix()
    if (made := originals.files.get(name)) and originals.is_as_made(name, made):
        return read_whole(path, columns, rows)
    try:
        with ProcessPoolExecutor(1, get_context("fork"), signals.leave_at_once) as pool:
            return pool.submit(read_whole, path, columns, rows).result()
    except BrokenProcessPool:
        problem = "it is damaged, and reading it ended the process"
        return Reading(schema_of(columns).empty_table(), problems=(PrepError(path, problem, tfrecord.REMEDY),))


@lru_cache(maxsize=4)
def _originals(output_dir: Path, step: str) -> Originals:
    return Originals(output_dir, [step])


def beside(reading: Reading, path: Path, expected: bytes) -> Reading:
    """Add a small file that was written beside a unit to the unit's reading; a missing one is named elsewhere.

    Args:
        reading: of the unit.
        path: of the other file.
        expected: the bytes that it should hold, by what was read of the unit.
    """
    if reading.problems or not path.is_file():
        return reading
    content = path.read_bytes()
    if content != expected:
        problem = PrepError(path, "it does not fit the file that it was written with", tfrecord.REMEDY)
        return replace(reading, problems=(problem,))
    sums = {**reading.sums, path: sha256(content).hexdigest()}
    return replace(reading, sums=sums, crcs={**reading.crcs, path: f"{checksums.crc32c(content):08x}"})


def leads(reading: Reading, link: Path, target: str) -> Reading:
    """Add a problem to a unit's reading if a link beside it leads elsewhere; a missing one is named elsewhere."""
    if not os.path.lexists(link) or (link.is_symlink() and os.readlink(link) == target):
        return reading
    problem = PrepError(link, f"it is no link to {target}", tfrecord.REMEDY)
    return replace(reading, problems=(*reading.problems, problem))


def read_small(path: Path, samples: Callable[[bytes], pa.Table]) -> Reading:
    """Read a file that is small enough to be held in memory.

    Args:
        path: the file.
        samples: gives the samples that stand in its content; raises what comes of one that is not as it should be.

    Returns:
        As `read_file`.
    """
    try:
        data = path.read_bytes()
        table = samples(data)
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
    except (ValueError, KeyError, IndexError, AttributeError, TypeError, pa.ArrowException) as error:
        problem = f"it is damaged ({str(error).strip().splitlines()[0]})"
    else:
        return Reading(table, {path: sha256(data).hexdigest()}, {path: f"{checksums.crc32c(data):08x}"})
    return Reading(schema_of([FILENAME]).empty_table(), problems=(PrepError(path, problem, tfrecord.REMEDY),))


def header_of(image: Buffer, filename: str, reencoded: Collection[str]) -> str | None:
    """Colours, format and size of an image that was encoded again; None of others, which their CRC-32C vouches for."""
    if filename not in reencoded:
        return None
    try:
        width, height, _, form, colorspace = picture.identify(image)
    except ValueError as error:
        return str(error)
    return f"{colorspace} {form} of {width}x{height} pixels"
