"""One stage of the workflow by itself, as its jobs do it but without Snakemake: `stage.py <stage> <results> <jobs>`.

Reads what an earlier run of the whole workflow left in <results>; writes into `stage` beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.inputs import Inputs
from imagenet_prep.engine.scan import scan
from imagenet_prep.engine.shard_set import ShardSet
from imagenet_prep.engine.shard_writer import Reencoding, write_shards
from imagenet_prep.formats import parquet
from imagenet_prep.job import without_pandas
from imagenet_prep.products.imagefolder import read_rows, write_folders
from imagenet_prep.products.registry import SHARDED_PRODUCTS
from imagenet_prep.products.tfrecord import TFRecord
from imagenet_prep.products.tfrecord_index import TFRecordIndex

Batch = list[tuple[Any, ...]]


def scan_archive(results: Path, output: Path, jobs: int) -> None:
    """Verify and scan the train archive: one job, in which a thread hashes beside the parsing."""
    scan("train", _train_archive(results), Expected(), output / "scan.parquet", ILSVRC2012)


def write_image_folder(results: Path, output: Path, jobs: int) -> None:
    """Write the training images as files, the classes in as many batches as jobs."""
    images = table_of_train(results, "images")
    wnids = sorted(set(parquet.read(images, ["wnid"])["wnid"].to_pylist()))
    archive = _train_archive(results)
    _each(_write_folders, [(images, wnids[job::jobs], archive, output) for job in range(jobs)], jobs)


def _write_folders(images: Path, wnids: list[str], archive: Path, output: Path) -> None:
    write_folders(read_rows(images, wnids), ILSVRC2012.splits["train"], "wnid", archive, output)


def write_records(results: Path, output: Path, jobs: int) -> None:
    """Write the training shards and their indexes, the shards in as many batches as jobs."""
    plan = table_of_train(results, "plan", "tfrecord-train")
    shards = ShardSet(output, TFRecord.name, "train", parquet.open_table(plan).num_row_groups)
    edges = [shards.shards * job // jobs for job in range(jobs + 1)]
    archive = _train_archive(results)
    arguments = [(plan, shards, edges[job], edges[job + 1] - 1, archive) for job in range(jobs)]
    _each(_write_records, [it for it in arguments if it[2] <= it[3]], jobs)


def _write_records(plan: Path, shards: ShardSet, first: int, last: int, archive: Path) -> None:
    write_shards(plan, shards, first, last, archive, Reencoding(), TFRecord().write)
    config = {"output_dir": str(shards.output_dir), TFRecord.name: {"train_shards": shards.shards}}
    TFRecordIndex().make(Inputs(config, {}, []), "train", first, last)


def write_shards_of(name: str) -> Callable[[Path, Path, int], None]:
    """A stage: write the training shards of a product, in as many batches as jobs."""

    def stage(results: Path, output: Path, jobs: int) -> None:
        plan = table_of_train(results, "plan", f"{name}-train")
        count = parquet.open_table(plan).num_row_groups
        edges = [count * job // jobs for job in range(jobs + 1)]
        batches = [(edges[job], edges[job + 1] - 1) for job in range(jobs) if edges[job] < edges[job + 1]]
        _each(_write_product, [(name, results, output, plan, *batch) for batch in batches], jobs)

    return stage


def _write_product(name: str, results: Path, output: Path, plan: Path, first: int, last: int) -> None:
    product = SHARDED_PRODUCTS[name]
    shards = product.shard_set(output, "train", parquet.open_table(plan).num_row_groups)
    settings = {"classes": {"wnids": None, "subset_labels": "original"}}
    devkit = [str(path) for path in (results / "state" / "devkit").glob("*.json")]
    write = product.writer(Inputs({"output_dir": str(results)}, settings, devkit))
    write_shards(plan, shards, first, last, _train_archive(results), Reencoding(), write, product.window)


def audit_records(results: Path, output: Path, jobs: int) -> None:
    """Read all shards: both checksums of every record, all its features, its place, and the SHA-256 of the file."""
    from imagenet_prep.products.tfrecord import TFRecord

    paths = sorted((results / "tfrecord").glob("*-of-*"))
    _each(TFRecord().read, [({}, "", path, frozenset()) for path in paths], jobs)


def table_of_train(results: Path, step: str, subject: str = "train") -> Path:
    """The table that a step has made of the train split, such as the plan of its shards."""
    (table,) = (results / "state" / step).glob(f"{subject}.*.parquet")
    return table


def _train_archive(results: Path) -> Path:
    (archive,) = (results / "archives").glob("*_img_train.tar")
    return archive


def _each(function: Callable[..., object], arguments: Batch, jobs: int) -> None:
    if jobs == 1:
        for values in arguments:
            function(*values)
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
            list(pool.map(function, *zip(*arguments, strict=True)))


def start(results: Path, output: Path, jobs: int) -> None:
    """Nothing but what every stage needs to start, to be taken off the count of its system calls."""
    for path in (results / "state").glob("*/train.*.parquet"):
        parquet.open_table(path)


STAGES: dict[str, Callable[[Path, Path, int], None]] = {
    "start": start,
    "scan": scan_archive,
    "imagefolder": write_image_folder,
    "records": write_records,
    "audit": audit_records,
    **{name: write_shards_of(name) for name in ("tfrecord", "webdataset", "parquet", "arrayrecord")},
}


def main(stage: str, results: str, jobs: str) -> None:
    """Run one stage."""
    output = Path(results).parent / "stage"
    output.mkdir(exist_ok=True)
    with without_pandas():
        STAGES[stage](Path(results), output, int(jobs))


if __name__ == "__main__":
    main(*sys.argv[1:])
