"""The synthetic devkit, judged by tarfile and scipy, and against the real one."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from imagenet_prep.synthetic import Settings, World, plan, synthesize
from synthetic.truth import Truth, truth_of

SETTINGS = Settings(
    seed=7,
    classes=24,
    train_images_per_class=9,
    val_images_per_class=3,
    test_images=1,
    train_t3_classes=2,
    train_t3_images_per_class=1,
    max_side=64,
)
FOLDER = "ILSVRC2012_devkit_t12"


def members(path: Path) -> dict[str, bytes]:
    with tarfile.open(path, "r:gz") as tar:
        return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}


def synsets(path: Path, **options: bool) -> np.ndarray:
    return scipy.io.loadmat(io.BytesIO(members(path)[f"{FOLDER}/data/meta.mat"]), **options)["synsets"]


def ancestors(rows: np.ndarray) -> dict[str, set[str]]:
    wnids = {int(row["ILSVRC2012_ID"]): str(row["WNID"]) for row in rows}
    parents: dict[str, set[str]] = {wnid: set() for wnid in wnids.values()}
    for row in rows:
        for child in np.atleast_1d(row["children"]):
            parents[wnids[int(child)]].add(str(row["WNID"]))

    def above(wnid: str) -> set[str]:
        return parents[wnid].union(*map(above, parents[wnid]))

    return {wnid: above(wnid) for wnid in parents}


@pytest.fixture(scope="module")
def devkit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("synthetic") / "devkit.tar.gz"
    synthesize({"devkit": path}, SETTINGS)
    return path


@pytest.fixture(scope="module")
def real_devkit(shared_data: Path) -> Path:
    return shared_data / "devkit" / "ILSVRC2012_devkit_t12.tar.gz"


@pytest.fixture(scope="module")
def world() -> World:
    return plan(SETTINGS)


@pytest.fixture(scope="module")
def truth(world: World) -> Truth:
    return truth_of(world)


def test_the_archive_has_the_folders_and_files_of_the_real_one(devkit, real_devkit):
    with tarfile.open(devkit) as ours, tarfile.open(real_devkit) as real:
        assert set(ours.getnames()) <= set(real.getnames())
        assert f"{FOLDER}/data/ILSVRC2012_validation_ground_truth.txt" in ours.getnames()


def test_synsets_have_the_fields_types_and_shapes_of_the_real_ones(devkit, real_devkit):
    ours, real = synsets(devkit), synsets(real_devkit)
    assert ours.dtype == real.dtype
    assert ours.shape == (len(ours), 1)

    def form(row: np.ndarray) -> dict[str, tuple[str, int]]:
        return {name: (row[name].dtype.kind, row[name].ndim) for name in real.dtype.names}

    # A class, the root, and an internal synset with classes below it, wherever they stand.
    for our_row, real_row in ((ours[0, 0], real[0, 0]), (ours[24, 0], real[1000, 0]), (ours[-1, 0], real[-1, 0])):
        assert form(our_row) == form(real_row)
    assert ours[0, 0]["children"].shape == real[0, 0]["children"].shape == (1, 0)


def test_ids_count_from_1_classes_first_then_the_root(devkit, truth):
    rows = synsets(devkit, squeeze_me=True)
    assert len(rows) == truth.synsets
    assert [int(row["ILSVRC2012_ID"]) for row in rows] == list(range(1, len(rows) + 1))
    assert all((row["num_children"] == 0) == (row["ILSVRC2012_ID"] <= 24) for row in rows)
    assert all(row["num_children"] == np.size(row["children"]) for row in rows)
    assert rows[24]["WNID"] == "n00001740"


def test_every_synset_but_the_root_hangs_in_the_tree_and_some_have_two_parents(devkit):
    rows = synsets(devkit, squeeze_me=True)
    children = [int(child) for row in rows for child in np.atleast_1d(row["children"])]
    assert set(children) == set(range(1, len(rows) + 1)) - {25}
    assert len(children) > len(set(children))


@pytest.mark.parametrize("classes", [2, 3, 12, 20, 100, 1000])
def test_ids_are_no_ranks_of_wnids(classes):
    world = plan(replace(SETTINGS, classes=classes))
    ids = [label.ilsvrc2012_id for label in world.classes]
    assert sorted(ids) == list(range(1, classes + 1))
    assert ids != sorted(ids)


def test_num_train_images_is_the_number_of_images_in_train(devkit, truth):
    rows = synsets(devkit, squeeze_me=True)
    numbers = {str(row["WNID"]): int(row["num_train_images"]) for row in rows if row["num_children"] == 0}
    assert numbers == truth.class_images["train"]
    assert all(row["num_train_images"] == 0 for row in rows if row["num_children"])


def test_ground_truth_gives_the_devkit_id_of_each_validation_image(devkit, world):
    lines = members(devkit)[f"{FOLDER}/data/ILSVRC2012_validation_ground_truth.txt"].decode().splitlines()
    assert [int(line) for line in lines] == [image.label.ilsvrc2012_id for image in world.images("validation")]
    assert sorted(map(int, lines)) == sorted(3 * list(range(1, 25)))
    assert lines != sorted(lines, key=int)


def test_the_first_twelve_classes_hold_the_traps():
    world = plan(replace(SETTINGS, classes=12))
    words = {label.wnid: label.words for label in world.classes}
    assert words["n02119789"] == "kit fox, Vulpes macrotis"
    assert words["n02012849"] == words["n03126707"] == "crane"
    assert words["n03710637"].startswith("maillot")
    assert words["n03710721"].startswith("maillot")
    assert sum(label.breed is not None for label in world.classes) >= 4


def test_words_heights_and_ancestors_are_those_of_the_real_synsets(devkit, real_devkit):
    ours, real = synsets(devkit, squeeze_me=True), synsets(real_devkit, squeeze_me=True)
    real_rows = {str(row["WNID"]): row for row in real}
    real_ancestors = ancestors(real)
    for row in ours:
        real_row = real_rows[str(row["WNID"])]
        assert row["words"] == real_row["words"]
        assert row["wordnet_height"] == real_row["wordnet_height"]
    for wnid, above in ancestors(ours).items():
        assert above <= real_ancestors[wnid]


def test_the_header_of_meta_mat_holds_no_time(devkit):
    assert b"Created on" not in members(devkit)[f"{FOLDER}/data/meta.mat"][:116]
