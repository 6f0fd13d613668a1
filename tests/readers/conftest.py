"""Products that every reader reads: of the demo, and of the real files in ../shared/data."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

# Before any of the packages is imported: no network, no look for a GPU, and warnings alone.
os.environ.update(HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TF_CPP_MIN_LOG_LEVEL="2", KERAS_BACKEND="tensorflow")

from project import Project, merged
from readers.reading import Reading
from real_archives import CONFIG, RealData, build

PRODUCTS = [
    *("imagefolder", "tfrecord", "tfrecord_index", "tfrecord_multilabel", "webdataset", "parquet", "arrayrecord"),
    *("archive_index", "bboxes", "multilabel", "audit"),
]
SHARDED = ("tfrecord", "webdataset", "parquet", "arrayrecord")
FOLDERS = {"output_dir": "results", "archives_dir": "archives", "predictions_dir": "predictions"}


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """What `make demo` makes, and all other products."""
    project = Project(tmp_path_factory.mktemp("demo"), {**FOLDERS, "products": [*PRODUCTS, "dinov2"]})
    project.succeed("all", "results/scores/demo.json")
    return project


@pytest.fixture(scope="session")
def numbered(demo: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The demo with numbered folders of the validation set, and records with labels from 0."""
    project = demo.copy(tmp_path_factory.mktemp("numbered"))
    project.configure({"products": PRODUCTS, "imagefolder": {"val_dirs": "index"}, "tfrecord": {"label_base": 0}})
    project.succeed("imagefolder_validation", "tfrecord")
    return project


@pytest.fixture(scope="session")
def real(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The classes of the real validation images, with real boxes and labels; numbered as in the whole set."""
    data = RealData(shared_data)
    classes = sorted({data.boxes[name][0].wnid for name in data.images})
    project = Project(tmp_path_factory.mktemp("real"), {})
    project.write_config(
        merged(CONFIG, {"products": PRODUCTS, "classes": classes, **{key: {"validation_shards": 5} for key in SHARDED}})
    )
    build(data, project.archives)
    annotations = project.archives / "human_accuracy_v3.0.0.json"
    content = json.loads(annotations.read_text())
    content["imagenet_m"] = list(data.images.keys() & content["initial_annots"])  # the real ones are not among them
    annotations.write_text(json.dumps(content))
    project.succeed()
    return project


@pytest.fixture(scope="session", params=["demo train", "demo validation", "real validation"])
def split(request: pytest.FixtureRequest) -> Reading:
    """Every split that is read."""
    name, split = request.param.split()
    return Reading(request.getfixturevalue(name), split)


@pytest.fixture
def reading(split: Reading, monkeypatch: pytest.MonkeyPatch) -> Reading:
    """The same, with its project as the current folder, as for a user who runs the README's code."""
    monkeypatch.chdir(split.project.folder)
    return split
