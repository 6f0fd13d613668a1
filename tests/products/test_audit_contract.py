"""What the audit finds in every product that is cut by split: named, and mended by what it says, done to the letter."""

from __future__ import annotations

import glob
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from array_record.python import array_record_module
from pyarrow.parquet import ParquetFile

import builders
from imagenet_prep.checksums import SUMS
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine.receipts import LEFTOVERS
from imagenet_prep.formats import example
from imagenet_prep.products.audit.findings import Problem
from imagenet_prep.products.audit.run import Audit
from imagenet_prep.products.product import SplitProduct
from imagenet_prep.products.registry import PRODUCTS, SHARDED_PRODUCTS, SPLIT_PRODUCTS
from products.audited import records_of, write_records
from products.maker import Maker
from project import Project

SNAKEMAKE = "snakemake --cores all"
Lines = list[bytes]
# What is done to a shard, an index or a class folder: it returns what a problem has to name.
Damage = Callable[[Path], list[str]]


@pytest.fixture(scope="module")
def everything(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Maker:
    """A finished project with all products in it."""
    project = finished.copy(tmp_path_factory.mktemp("everything"), clone=False)
    products = [name for name, product in PRODUCTS.items() if product.is_audited or name == "audit"]
    maker = Maker(project, {"products": products})
    for product in SPLIT_PRODUCTS.values():
        for step, subject in product.known_by(maker.config):
            maker.make(step, subject)
    return maker


@pytest.fixture
def maker(everything: Maker, tmp_path: Path) -> Maker:
    """A copy of it."""
    project = Project(everything.results.parent).copy(tmp_path / "copy", clone=False)
    return Maker(project, {"products": everything.config["products"]})


def problems(maker: Maker, *products: str) -> list[Problem]:
    splits = [split.name for split in dataset_of(maker.config).splits_in_use(maker.config)]
    names = [name for name in maker.config["products"] if name != "audit"]
    audit = Audit(maker.config, list(products or names), splits, 1)
    audit.run()
    return [problem for check in audit.checks for problem in check.problems]


def follow(mend: str, maker: Maker) -> None:
    """Do what a problem's mend says, with jobs in place of snakemake."""
    *commands, last = mend.split(" && ")
    for command in commands if last.startswith(SNAKEMAKE) else [*commands, last]:
        assert command.startswith(("rm ", "mkdir -p ", "mv "))
        subprocess.run(command, shell=True, check=True)
    if not last.startswith(SNAKEMAKE):
        return
    parts = {f"{it.name}_{split}": (it.name, split) for it, split in all_parts(maker)}
    for target in last.removeprefix(f"{SNAKEMAKE} ").split():
        steps = [parts[target]] if target in parts else SPLIT_PRODUCTS[target].known_by(maker.config)
        for step, subject in steps:
            maker.make(step, subject)


def all_parts(maker: Maker) -> Iterator[tuple[SplitProduct, str]]:
    for product in SPLIT_PRODUCTS.values():
        for split in product.splits_in_use(maker.config):
            yield product, split


# Files of records


def lose_record(shard: Path) -> list[str]:
    first, *others = records_of(shard)
    write_records(shard, others)
    return [name_of(first)]


def double_record(shard: Path) -> list[str]:
    records = records_of(shard)
    write_records(shard, [*records[:-1], records[0], records[-1]])
    return [name_of(records[0])]


def foreign_record(shard: Path) -> list[str]:
    records = records_of(shard)
    other = "x" * len(name_of(records[0]))
    write_records(shard, [records[0].replace(name_of(records[0]).encode(), other.encode()), *records[1:]])
    return [f"{shard}: image {other}", name_of(records[0])]


def exchange_records(shard: Path) -> list[str]:
    """Each of two images under the other one's name."""
    first, second, *others = records_of(shard)
    names = [name_of(record) for record in (first, second)]
    key = "image/filename" if b"image/filename" in first else "file_name"
    entries = [example.bytes_entry(key, name.encode()) for name in names]
    assert len(entries[0]) == len(entries[1])
    write_records(shard, [first.replace(*entries), second.replace(*entries[::-1]), *others])
    return [f"{shard}: image {name}" for name in names]


def flip_file(path: Path) -> list[str]:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return [str(path)]


def name_of(record: bytes) -> str:
    features = example.decode(record)
    ((name,),) = (features[key] for key in ("image/filename", "file_name") if key in features)
    assert isinstance(name, bytes)
    return name.decode()


# Array records


def array_records_of(shard: Path) -> list[bytes]:
    with closing(array_record_module.ArrayRecordReader(str(shard))) as reader:
        return [bytes(record) for record in reader.read_all()]


def write_array_records(shard: Path, records: Sequence[bytes]) -> None:
    with closing(array_record_module.ArrayRecordWriter(str(shard), "group_size:1,uncompressed")) as writer:
        for record in records:
            writer.write(record)


def in_array_records(damage: Callable[[Path], list[str]]) -> Damage:
    """The same damage of records, in a shard of the other format."""

    def damaged(shard: Path) -> list[str]:
        records = shard.with_suffix(".tfrecord")
        write_records(records, array_records_of(shard))
        named = damage(records)
        write_array_records(shard, records_of(records))
        records.unlink()
        return [name.replace(str(records), str(shard)) for name in named]

    return damaged


# Archives of samples


def samples_of(shard: Path) -> list[list[tuple[str, bytes]]]:
    """The files of each sample, read with Python's own tarfile."""
    with tarfile.open(shard) as tar:
        files = [(member.name, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]
    return [files[start : start + 3] for start in range(0, len(files), 3)]


def write_archive(shard: Path, samples: Sequence[Sequence[tuple[str, bytes]]]) -> None:
    shard.write_bytes(builders.tar([file for sample in samples for file in sample], tarfile.USTAR_FORMAT))


def key_of(sample: Sequence[tuple[str, bytes]]) -> str:
    return sample[0][0].partition(".")[0]


def lose_sample(shard: Path) -> list[str]:
    first, *others = samples_of(shard)
    write_archive(shard, others)
    return [key_of(first), str(shard.with_suffix(".idx"))]


def double_sample(shard: Path) -> list[str]:
    samples = samples_of(shard)
    write_archive(shard, [*samples[:-1], samples[0], samples[-1]])
    return [key_of(samples[0])]


def foreign_sample(shard: Path) -> list[str]:
    samples = samples_of(shard)
    key, other = key_of(samples[0]), "x" * len(key_of(samples[0]))
    renamed = [
        (name.replace(key, other), content.replace(key.encode(), other.encode())) for name, content in samples[0]
    ]
    write_archive(shard, [renamed, *samples[1:]])
    return [f"{shard}: image {other}.JPEG", key]


def exchange_samples(shard: Path) -> list[str]:
    """Each of two images under the other one's name."""
    (first, *rest), (second, *others), *more = samples_of(shard)
    write_archive(shard, [[(first[0], second[1]), *rest], [(second[0], first[1]), *others], *more])
    return [f"{shard}: image {key_of([it])}.JPEG" for it in (first, second)]


def flip_index(shard: Path) -> list[str]:
    return flip_file(shard.with_suffix(".idx"))


# Tables of images

Rows = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


def rows_changed(file: Path, change: Rows) -> None:
    table = pq.read_table(file)
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema), file)


def names_in(file: Path) -> list[str]:
    return [row["path"] for row in pq.read_table(file)["image"].to_pylist()]


def lose_row(file: Path) -> list[str]:
    name, *_ = names_in(file)
    rows_changed(file, lambda rows: rows[1:])
    return [name]


def double_row(file: Path) -> list[str]:
    name, *_ = names_in(file)
    rows_changed(file, lambda rows: [*rows[:-1], rows[0], rows[-1]])
    return [name]


def foreign_row(file: Path) -> list[str]:
    name, *_ = names_in(file)
    rows_changed(file, lambda rows: [{**rows[0], "image": {**rows[0]["image"], "path": "x.JPEG"}}, *rows[1:]])
    return [f"{file}: image x.JPEG", name]


def exchange_rows(file: Path) -> list[str]:
    """Each of two images under the other one's name."""
    names = names_in(file)[:2]

    def exchange(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        one, two = ({**rows[at]["image"], "path": names[1 - at]} for at in (0, 1))
        return [{**rows[0], "image": one}, {**rows[1], "image": two}, *rows[2:]]

    rows_changed(file, exchange)
    return [f"{file}: image {name}" for name in names]


def flip_footer(file: Path) -> list[str]:
    content = bytearray(file.read_bytes())
    content[-30] ^= 4
    file.write_bytes(content)
    return [str(file)]


# Arrays of entries


def entries_changed(change: Callable[[np.ndarray], np.ndarray]) -> Damage:
    def damage(path: Path) -> list[str]:
        before = np.load(path)
        entries = change(before.copy())
        np.save(path, entries)
        (path.parent / f"{path.name}.npy").unlink(missing_ok=True)
        numbers = {int(before["actual_index"][0]), *(set(entries["actual_index"].tolist()) - {*before["actual_index"]})}
        return [f"_{number:08d}.JPEG" for number in numbers]

    return damage


def foreign_entry(entries: np.ndarray) -> np.ndarray:
    entries["actual_index"][0] = 99999
    return entries


def exchange_entries(entries: np.ndarray) -> np.ndarray:
    entries["class_index"][[0, -1]] = entries["class_index"][[-1, 0]]
    return entries


def flip_names(path: Path) -> list[str]:
    return flip_file(path.with_name(path.name.replace("entries", "class-names")))


def mislead(path: Path) -> list[str]:
    link = path.with_name("val")
    link.unlink()
    link.symlink_to("../imagefolder/train")
    return [str(link)]


# Indexes


def lines_changed(change: Callable[[Lines], Lines]) -> Damage:
    def damage(index: Path) -> list[str]:
        index.write_bytes(b"".join(change(index.read_bytes().splitlines(keepends=True))))
        return [str(index)]

    return damage


# Indexes of archives


def index_entries_changed(change: Callable[[Lines], Lines]) -> Damage:
    """Of DALI's index; what its first line says is right all the same."""

    def damage(index: Path) -> list[str]:
        version, *entries = index.read_bytes().splitlines(keepends=True)
        first, changed = entries[0].split()[3].decode(), change(entries)
        index.write_bytes(b"%s %d\n%s" % (version.split()[0], len(changed), b"".join(changed)))
        return [first]

    return damage


def exchanged(first: bytes, second: bytes, *others: bytes) -> Lines:
    """Each of two images in the place of the other."""
    names = first.split()[3], second.split()[3]
    return [first.replace(*names), second.replace(*names[::-1]), *others]


# Class folders


def some_file(folder: Path) -> Path:
    return next(path for path in sorted(folder.iterdir()) if path.is_file())


def lose_file(folder: Path) -> list[str]:
    path = some_file(folder)
    path.unlink()
    return [f"{path}: it is missing"]


def double_file(folder: Path) -> list[str]:
    other = folder / "more"
    if len(list(folder.parent.iterdir())) > 1 and any(path.is_dir() for path in folder.parent.iterdir()):
        other = next(path for path in sorted(folder.parent.iterdir()) if path != folder and path.is_dir())
    other.mkdir(exist_ok=True)
    path = some_file(folder)
    (other / path.name).write_bytes(path.read_bytes())
    return [str(other / path.name)]


def foreign_file(folder: Path) -> list[str]:
    (folder / "notes.txt").write_text("mine")
    (folder.parent / "mine").mkdir()
    return [str(folder / "notes.txt"), str(folder.parent / "mine")]


def exchange_files(folder: Path) -> list[str]:
    first, second = sorted(path for path in folder.iterdir() if path.is_file())[:2]
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    return [str(first), str(second)]


def flip_image(folder: Path) -> list[str]:
    return flip_file(some_file(folder))


RECORDS: dict[str, Damage] = {
    "lost": lose_record,
    "doubled": double_record,
    "foreign": foreign_record,
    "exchanged": exchange_records,
    "flipped": flip_file,
}
FILES: dict[str, Damage] = {
    "lost": lose_file,
    "doubled": double_file,
    "foreign": foreign_file,
    "exchanged": exchange_files,
    "flipped": flip_image,
}
SAMPLES: dict[str, Damage] = {
    "lost": lose_sample,
    "doubled": double_sample,
    "foreign": foreign_sample,
    "exchanged": exchange_samples,
    "flipped": flip_file,
    "flipped index": flip_index,
}
ARRAY_RECORDS: dict[str, Damage] = {
    **{kind: in_array_records(RECORDS[kind]) for kind in ("lost", "doubled", "foreign", "exchanged")},
    "flipped": flip_file,
}
ROWS: dict[str, Damage] = {
    "lost": lose_row,
    "doubled": double_row,
    "foreign": foreign_row,
    "exchanged": exchange_rows,
    "flipped": flip_file,
    "flipped footer": flip_footer,
}
ENTRIES: dict[str, Damage] = {
    "lost": entries_changed(lambda entries: entries[1:]),
    "doubled": entries_changed(lambda entries: np.concatenate([entries[:1], entries])),
    "foreign": entries_changed(foreign_entry),
    "exchanged": entries_changed(exchange_entries),
    "flipped": flip_file,
    "flipped names": flip_names,
    "misled link": mislead,
}
LINES: dict[str, Damage] = {
    "lost": lines_changed(lambda lines: lines[1:]),
    "doubled": lines_changed(lambda lines: [lines[0], *lines]),
    "foreign": lines_changed(lambda lines: [*lines, b"7 7\n"]),
    "exchanged": lines_changed(lambda lines: [lines[1], lines[0], *lines[2:]]),
    "flipped": flip_file,
}
INDEX_ENTRIES: dict[str, Damage] = {
    "lost": index_entries_changed(lambda entries: entries[1:]),
    "doubled": index_entries_changed(lambda entries: [entries[0], *entries]),
    "foreign": index_entries_changed(lambda entries: [entries[0].replace(b"val_0", b"val_9"), *entries[1:]]),
    "exchanged": index_entries_changed(lambda entries: exchanged(*entries)),
    "flipped": flip_file,
}
DAMAGES = {
    "imagefolder": FILES,
    "tfrecord": RECORDS,
    "tfrecord_index": LINES,
    "tfrecord_multilabel": RECORDS,
    "webdataset": SAMPLES,
    "parquet": ROWS,
    "arrayrecord": ARRAY_RECORDS,
    "dinov2": ENTRIES,
    "archive_index": INDEX_ENTRIES,
}
CASES = [
    *(("imagefolder", split, kind) for split in ("train", "validation", "test") for kind in FILES),
    *((name, "validation", kind) for name, kinds in DAMAGES.items() if name != "imagefolder" for kind in kinds),
]


def test_every_product_is_damaged_here() -> None:
    assert DAMAGES.keys() == SPLIT_PRODUCTS.keys()


def test_an_untouched_tree_has_no_problem(everything: Maker) -> None:
    assert problems(everything) == []


@pytest.mark.parametrize(("product", "split", "kind"), CASES, ids=[" ".join(case) for case in CASES])
def test_damage_is_named_and_mended_by_what_is_said(maker: Maker, product: str, split: str, kind: str) -> None:
    before = maker.files(product, split)
    unit = maker.results / SPLIT_PRODUCTS[product].units(maker.inputs(product, split), split)[0]
    named = DAMAGES[product][kind](unit)
    found = problems(maker)
    assert [name for name in named if not any(name in problem.text for problem in found)] == []
    for _ in range(8):
        follow(found[0].mend, maker)
        found = problems(maker)
        if not found:
            break
    assert found == []
    assert maker.files(product, split) == before


@pytest.mark.parametrize("product", SHARDED_PRODUCTS)
def test_an_unreadable_shard_is_mended_by_any_mend(everything: Maker, tmp_path: Path, product: str) -> None:
    split = SPLIT_PRODUCTS[product].splits_in_use(everything.config)[0]
    unit, *_ = SPLIT_PRODUCTS[product].units(everything.inputs(product, split), split)
    mends: dict[str, str] = {}
    for number in range(4):  # in one place, which the mends name
        project = Project(everything.results.parent).copy(tmp_path / "copy", clone=False)
        maker = Maker(project, {"products": everything.config["products"]})
        flip_file(maker.results / unit)
        mends |= {problem.mend: problem.text for problem in problems(maker)}
        if number == len(mends):
            break
        follow([*mends][number], maker)
        assert problems(maker) == [], [*mends.items()][number]
        shutil.rmtree(project.folder)
    assert mends


@pytest.mark.parametrize("product", [name for name, it in SHARDED_PRODUCTS.items() if it.goes_through_images])
def test_a_shard_in_place_of_another_is_mended_by_making_all_again(maker: Maker, product: str) -> None:
    split = "validation"
    before = maker.files(product, split)
    first, second, *others = SPLIT_PRODUCTS[product].units(maker.inputs(product, split), split)
    shutil.copy(maker.results / second, maker.results / first)
    mends = [problem.mend for problem in problems(maker)]
    of_all = [mend for mend in mends for word in mend.split() if word.startswith(str(maker.results)) and "*" in word]
    (pattern,) = {word for word in of_all[0].split() if "*" in word}
    assert set(glob.glob(pattern)) == {str(maker.results / unit) for unit in (first, second, *others)}
    follow(of_all[0], maker)
    assert problems(maker) == []
    assert maker.files(product, split) == before


@pytest.mark.parametrize("product", SPLIT_PRODUCTS)
def test_a_unit_that_is_lost_and_one_too_many_are_named(maker: Maker, product: str) -> None:
    split = next(it for it in SPLIT_PRODUCTS[product].splits_in_use(maker.config))
    first, *_ = SPLIT_PRODUCTS[product].units(maker.inputs(product, split), split)
    (maker.results / first).rename(maker.results / f"{first}-other")
    texts = [problem.text for problem in problems(maker)]
    assert f"{maker.results / first}: it is missing" in texts
    assert f"{maker.results / first}-other: no product of this configuration" in texts


def test_folders_that_are_called_by_indices_are_held_against_them(maker: Maker) -> None:
    products = [name for name in maker.config["products"] if name != "dinov2"]  # which wants them by WNID
    other = Maker(Project(maker.results.parent), {"products": products, "imagefolder": {"val_dirs": "index"}})
    other.make("imagefolder", "validation")
    other.make(LEFTOVERS, "imagefolder-validation")
    assert problems(other, "imagefolder") == []
    tree = maker.results / "imagefolder" / "val"
    for old, new in (("000", "mine"), ("001", "000"), ("mine", "001")):
        (tree / old).rename(tree / new)
    texts = [problem.text for problem in problems(other, "imagefolder")]
    for folder in ("000", "001"):
        there = [f"{path}: no image of the archives in use" for path in sorted((tree / folder).iterdir())]
        assert there
        assert set(there) <= set(texts)


def test_of_a_table_that_is_damaged_only_that_is_said(maker: Maker) -> None:
    table = maker.results / "tables" / "multilabel.parquet"
    splits = [split.name for split in dataset_of(maker.config).splits_in_use(maker.config)]
    audit = Audit(maker.config, maker.config["products"], splits, 1)
    audit.run()
    (maker.results / SUMS).write_text(audit.sha256sums())
    shutil.rmtree(maker.results / "state" / "audit")
    table.write_bytes(table.read_bytes()[:-1])
    audit = Audit(maker.config, maker.config["products"], splits, 1)
    audit.run()
    audit.check_sums()
    texts = [problem.text for check in audit.checks for problem in check.problems]
    assert texts
    assert {text for text in texts if "multilabel.parquet" not in text} == set()


@pytest.mark.parametrize("name", ["labels/synsets.parquet", "tables/images.parquet", "tables/multilabel.parquet"])
def test_a_table_whose_footer_is_damaged_is_named_and_not_opened(
    name: str, maker: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = maker.results / name
    content = bytearray(table.read_bytes())
    content[content.rindex(b"ARROW:schema")] ^= 1
    table.write_bytes(content)
    opened = []
    monkeypatch.setattr(pq, "ParquetFile", lambda path, **how: opened.append(path) or ParquetFile(path, **how))
    audit = Audit(maker.config, maker.config["products"], ["train"], 1)
    audit.run()
    (problem,) = {problem for check in audit.checks for problem in check.problems if str(table) in problem.text}
    assert problem.text == f"{table}: it is not as it was made"
    assert problem.mend.startswith(f"rm -f {table} && {SNAKEMAKE} ")
    assert table not in opened


def test_an_index_is_looked_at_where_the_records_are_not(maker: Maker) -> None:
    units = SPLIT_PRODUCTS["tfrecord_index"].audited_units(Audit(maker.config, [], ["train"], 1).facts, "train")
    assert problems(maker, "tfrecord_index") == []
    flip_file(units[0])
    flip_file(maker.results / "tfrecord" / units[1].name)
    found = problems(maker, "tfrecord_index")
    assert [problem.text.split(": ")[0] for problem in found] == [str(units[0]), str(units[1])]
    assert {problem.mend.split(" && ")[-1] for problem in found} == {f"{SNAKEMAKE} tfrecord_index_train"}
