"""What the order of reading does on storage that is cold: the archive taken out of the page cache before each reading.

Reads the images of some shards in several orders and counts the bytes that the kernel fetched from the disk, which are
more than the images where it reads ahead. Needs what bench.py left in its folder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import machine
from stage import table_of_train
from workbench import HERE

from imagenet_prep.formats import parquet
from imagenet_prep.formats.byte_ranges import read_ranges

Range = tuple[int, int]


def main() -> None:
    """Measure and write cold.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=HERE / "work", help="that of bench.py")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=HERE / "results" / "cold.json")
    arguments = parser.parse_args()
    results = arguments.folder / "bench" / "results"
    plan = table_of_train(results, "plan", "tfrecord-train")
    archive = next((results / "archives").glob("*_img_train.tar")).resolve()
    found: dict[str, Any] = {"machine": machine.describe(arguments.folder), "orders": []}
    shards = shards_of(plan)
    measured: dict[str, list[dict[str, float]]] = {}
    for _ in range(arguments.rounds):
        for name, batches in orders(shards).items():
            measured.setdefault(name, []).append(read_cold(archive, batches))
    for name, rounds in measured.items():
        figures = {figure: round(statistics.median(it[figure] for it in rounds), 2) for figure in rounds[0]}
        found["orders"].append({"order": name, **figures})
        print(f"{name:44}{figures['seconds']:>8} s{figures['mb_per_s']:>9} MB/s{figures['fetched_share']:>7} fetched")
    arguments.output.write_text(json.dumps(found, indent=1) + "\n")


def shards_of(plan: Path) -> list[list[Range]]:
    """Offset and size of every image of every shard, in the order of the records."""
    file = parquet.open_table(plan)
    groups = [parquet.read_groups(file, plan, [group], ["offset", "length"]) for group in range(file.num_row_groups)]
    return [list(zip(it["offset"].to_pylist(), it["length"].to_pylist(), strict=True)) for it in groups]


def orders(shards: list[list[Range]]) -> dict[str, list[list[Range]]]:
    """The images as lists, each of which is read by ascending offset."""
    every = list(chain.from_iterable(shards))
    fours = [list(chain.from_iterable(shards[at : at + 4])) for at in range(0, len(shards), 4)]
    return {
        "one by one in the order of the records": [[image] for image in every],
        "a shard at a time, by offset (the workflow)": shards,
        "four shards at a time, by offset": fours,
        "the whole archive, by offset (ImageFolder)": [every],
    }


def read_cold(archive: Path, batches: Sequence[Sequence[Range]]) -> dict[str, float]:
    """Seconds, rate, and bytes that came from the disk in proportion to those asked for."""
    with open(archive, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    before, start = _fetched(), time.perf_counter()
    nbytes = sum(_read(archive, batches))
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "mb_per_s": nbytes / seconds / 1e6,
        "fetched_share": (_fetched() - before) / nbytes,
    }


def _read(archive: Path, batches: Sequence[Sequence[Range]]) -> Iterator[int]:
    for batch in batches:
        for _, data in read_ranges(archive, [offset for offset, _ in batch], [size for _, size in batch]):
            yield len(data)


def _fetched() -> int:
    """Bytes that this process had fetched from a disk."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["read_bytes"])


if __name__ == "__main__":
    main()
