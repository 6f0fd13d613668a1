"""What every product that is cut by split keeps to, whatever it consists of: asked of each product and split."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from crc32c import crc32c

from imagenet_prep import schema
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine import batches, existing, space
from imagenet_prep.engine.inventory import is_whole
from imagenet_prep.engine.receipts import LEFTOVERS, Name, load
from imagenet_prep.engine.step import ALL
from imagenet_prep.products.partials import remove_partials
from imagenet_prep.products.registry import SHARDED_PRODUCTS, SPLIT_PRODUCTS, STEPS
from imagenet_prep.products.shards import SECTION
from products.maker import Maker, killed_at
from project import Project

# In the made-up archive of the test set, names stand behind a folder.
CANNOT_BE_MADE = [("archive_index", "test")]
PARTS = [
    (name, split)
    for name, it in SPLIT_PRODUCTS.items()
    for split in it.splits(ILSVRC2012)
    if (name, split) not in CANNOT_BE_MADE
]
ONE_OF_EACH = [(name, it.splits(ILSVRC2012)[0]) for name, it in SPLIT_PRODUCTS.items()]

# Settings that change what every product consists of, and settings that change the content of its files alone.
FEWER: dict[str, Any] = {
    name: {f"{split}_shards": number for split, number in (("train", 3), ("validation", 1))}
    for name, it in SHARDED_PRODUCTS.items()
    if "train_shards" in it.section
}
OTHER: dict[str, Any] = {"shards": {"seed": 99}, "imagefolder": {"val_dirs": "index"}, "subset_labels": "renumbered"}

# What this version makes of the made-up archives, with the packages of envs/lock-test.txt.
RELEASED = Path(__file__).with_name("released.json")

by_part = pytest.mark.parametrize(("product", "split"), PARTS, ids=[f"{name} {split}" for name, split in PARTS])
by_product = pytest.mark.parametrize(("product", "split"), ONE_OF_EACH, ids=[name for name, _ in ONE_OF_EACH])


@pytest.fixture(scope="module")
def everything(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Maker:
    """A finished project with all products in it, those that are made by default and those that are not."""
    project = finished.copy(tmp_path_factory.mktemp("everything"), clone=False)
    maker = Maker(project)
    for product, split in PARTS:
        maker.make(product, split)
    return maker


@pytest.fixture
def maker(everything: Maker, tmp_path: Path) -> Maker:
    """A copy of it."""
    return Maker(copied(everything, tmp_path / "copy"))


def copied(maker: Maker, folder: Path) -> Project:
    return Project(maker.results.parent).copy(folder, clone=False)


def unit_paths(maker: Maker, product: str, split: str) -> list[Path]:
    """The units that lie there, in order."""
    inputs = maker.inputs(product, split)
    return [maker.results / path for path in SPLIT_PRODUCTS[product].units(inputs, split)]


def delete(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def times(maker: Maker, paths: list[Path]) -> dict[Path, int]:
    found = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    return {file: file.stat().st_mtime_ns for file in found}


@by_part
def test_the_names_of_its_units_are_what_lies_there(everything: Maker, product: str, split: str) -> None:
    units = unit_paths(everything, product, split)
    assert units
    assert all(path.exists() for path in units)
    within = {path for unit in units for path in ([unit] if unit.is_file() else unit.rglob("*")) if path.is_file()}
    assert within <= {everything.results / path for path in everything.files(product, split)}
    of_receipts = {path for receipt in everything.receipts(product, split) for path in load(receipt).get("files", {})}
    assert of_receipts in (set(), set(everything.files(product, split)))


@by_part
def test_a_deleted_unit_comes_back_alone_or_with_its_batch(maker: Maker, product: str, split: str) -> None:
    before, units = maker.files(product, split), unit_paths(maker, product, split)
    name = Name.parse(maker.receipts(product, split)[0].name)
    assert name is not None
    others = units[batches.units_of(name.subject.removeprefix(f"{split}-"))[1] + 1 :]
    untouched = times(maker, others)
    delete(units[0])
    assert maker.make(product, split), "nothing was made"
    assert maker.files(product, split) == before
    assert times(maker, others) == untouched
    assert maker.make(product, split) == []


@by_part
def test_the_size_and_the_order_of_jobs_change_no_byte(
    everything: Maker, maker: Maker, tmp_path: Path, product: str, split: str
) -> None:
    it = SPLIT_PRODUCTS[product]
    alone = Maker(Project(maker.results.parent), {"jobs": dict.fromkeys(it.jobs, 1)})
    it.remove(alone.config, split)
    shutil.rmtree(alone.results / "state" / product)
    made = alone.make(product, split, backwards=True)
    assert len(made) == (it.count(alone.config, split) if it.jobs else 1), "what has no key is made by one job"
    assert alone.files(product, split) == everything.files(product, split)


@by_product
def test_what_an_older_configuration_left_goes_and_files_of_others_stay(maker: Maker, product: str, split: str) -> None:
    chosen = [row["wnid"] for row in maker.inputs("imagefolder", "train").classes.to_pylist()][1:4]
    older = unit_paths(maker, product, split)
    files = [path for path in maker.paths(product, split) if path.is_file()]
    place = maker.results / SPLIT_PRODUCTS[product].place(ILSVRC2012, split)
    mine = [place / "mine.txt", *([older[0] / "mine.txt"] if older[0].is_dir() else [])]
    for path in mine:
        path.write_text("mine")
    fewer = Maker(Project(maker.results.parent), {"classes": chosen, **FEWER})
    fewer.make(product, split)
    fewer.make(LEFTOVERS, f"{product}-{split}")
    units = unit_paths(fewer, product, split)
    assert {path for path in older if path not in units and path.exists()} == {path.parent for path in mine[1:]}
    assert {path for path in files if path.exists()} <= set(fewer.paths(product, split))
    assert all(path.exists() for path in units)
    assert [path.read_text() for path in mine] == ["mine"] * len(mine)


@by_part
def test_the_space_foretold_is_little_more_than_is_used(everything: Maker, product: str, split: str) -> None:
    there = existing.look(everything.config, SPLIT_PRODUCTS)
    known = space.Existing(archives=there.archives, images=there.images, block=there.block)
    (need,) = space.needs(everything.config, SPLIT_PRODUCTS, known, [(product, split)])
    paths = [path for path in everything.paths(product, split) if path != everything.results / product]
    assert need.files == len(paths)
    used = sum(path.lstat().st_blocks * 512 for path in paths)
    # Of so few images the last blocks of each file count, too.
    block = max(there.block, getattr(SPLIT_PRODUCTS[product], "granule", 1))
    assert used <= need.nbytes <= 1.02 * used + 2 * len(paths) * block


def test_the_same_version_gives_the_bytes_that_were_released(everything: Maker, tmp_path: Path) -> None:
    """Where bytes are to change, the version of what makes them is raised; then the table is written anew."""
    found = {"archives": {path.stem: load(path)["md5"] for path in (everything.results / "verified").glob("*.json")}}
    files = {part: everything.files(*part) for part in PARTS}
    for name in ("image_table", "bboxes", "multilabel", "labels"):
        paths = STEPS[name].files(everything.config)  # type: ignore[attr-defined]
        files[name, ALL] = {path: (everything.results / path).read_bytes() for path in paths}
    for (name, subject), contents in files.items():
        asked = Name.parse(everything.receipts(name, subject)[0].name)
        assert asked is not None
        found[f"{name} {subject}"] = {
            "receipt": asked.digest,
            "bytes": sha256(b"".join(path.encode() + sha256(contents[path]).digest() for path in contents)).hexdigest(),
        }
    written, released = tmp_path / RELEASED.name, json.loads(RELEASED.read_text(encoding="utf-8"))
    written.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    new = [it for it in found if found[it] != released.get(it)]
    same = [it for it in new if found[it].get("receipt") == released.get(it, {}).get("receipt", "")]
    assert same == [] or "archives" in new, f"other bytes of the same version: raise that of {same}"
    assert found == released, f"if {new} are to be others: cp {written} {RELEASED}"


@by_product
def test_each_key_asks_for_other_receipts_of_its_own(everything: Maker, product: str, split: str) -> None:
    it = SPLIT_PRODUCTS[product]
    keys = [(product, key, part) for key, part in it.section.items()]
    is_of_images = product in SHARDED_PRODUCTS and (it.goes_through_images or it.unit_by_unit)
    keys += [("shards", key, part) for key, part in SECTION.items()] if is_of_images else []
    for section, key, part in keys:
        changed = Maker(
            Project(everything.results.parent), {section: {key: another(everything.config[section][key], part)}}
        )
        differing = {
            name
            for name, it in SPLIT_PRODUCTS.items()
            for of in it.splits(ILSVRC2012)
            if changed.asks().digest(name, of) != everything.asks().digest(name, of)
        }
        assert product in differing, key
        if section == product:
            assert all(name == product or follows(name, product, everything) for name in differing), key


def another(value: Any, part: dict[str, Any]) -> Any:
    """Another value that a key can have."""
    full = schema.resolved(part, schema.load())
    others = full.get("enum") or ([True, False] if full["type"] == "boolean" else [full.get("minimum", 0), 7])
    return next(it for it in others if it != value)


def follows(product: str, other: str, maker: Maker) -> bool:
    """Whether a product is made from another one, or cut as it is."""
    it = SPLIT_PRODUCTS[product]
    needs = [need for split in it.splits(ILSVRC2012) for need in it.needs(maker.config, split)]
    return other in {name for name, _ in needs} or getattr(it, "shards_key", lambda _: "")("validation").startswith(
        f"{other}."
    )


@by_product
def test_killed_at_any_moment_no_receipt_is_wrong(everything: Maker, tmp_path: Path, product: str, split: str) -> None:
    """From settings A to B, killed, then A again: all is A's."""
    moments = 0
    for step in steps():
        folder = tmp_path / str(step)
        project = copied(everything, folder)
        other = Maker(project, OTHER)
        killed = killed_at(step, lambda other=other: other.make(product, split))
        first = Maker(project)
        for maker in (first, other):
            for receipt in maker.receipts(product, split):
                if receipt.exists() and is_whole(project.results, load(receipt)):
                    expect_described(project.results, load(receipt))
        remove_partials(project.results)  # as the next run does
        first.make(product, split)
        assert first.files(product, split) == everything.files(product, split)
        shutil.rmtree(folder)
        moments += 1
        if not killed:
            break
    assert moments > 3


@pytest.mark.parametrize("step", ["labels", "image_table", "bboxes", "multilabel", "tfrecord_description"])
def test_killed_at_any_moment_so_it_is_of_files_that_one_job_makes(maker: Maker, step: str) -> None:
    chosen = [row["wnid"] for row in maker.inputs("imagefolder", "train").classes.to_pylist()][1:4]
    project, changes = Project(maker.results.parent), {"classes": chosen, "subset_labels": "renumbered"}
    made = SPLIT_PRODUCTS["tfrecord"] if step == "tfrecord_description" else STEPS[step]
    files = {path: path.read_bytes() for path in (maker.results / name for name in made.files(maker.config))}  # type: ignore[union-attr]
    assert files
    for need in STEPS[step].inputs(Maker(project, changes).config, ALL):
        Maker(project, changes).make(*need)
    moments = 0
    for moment in steps():
        other = Maker(project, changes)
        killed = killed_at(moment, lambda other=other: other.make(step))
        for receipt in (*Maker(project).receipts(step), *other.receipts(step)):
            if receipt.exists() and is_whole(project.results, load(receipt)):
                expect_described(project.results, load(receipt))
        Maker(project).make(step)
        assert {path: path.read_bytes() for path in files} == files
        moments += 1
        if not killed:
            break
    assert moments > 2


def steps() -> Iterator[int]:
    """Moments, each at first, then ever fewer of them."""
    step = 0
    while True:
        yield step
        step += 1 if step < 12 else step // 4


def expect_described(results: Path, body: dict[str, Any]) -> None:
    """What a receipt says of files is what lies there."""
    for name, content in body.get("files", {}).items():
        data = (results / name).read_bytes()
        assert content["bytes"] == len(data)
        assert content.get("sha256", sha256(data).hexdigest()) == sha256(data).hexdigest()
        assert content.get("crc32c", f"{crc32c(data):08x}") == f"{crc32c(data):08x}"
