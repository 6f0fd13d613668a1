"""Which receipts another setting asks for: other ones of the steps that depend on it, and of all that follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configuration.official import nested
from engine.outputs import ANIMALS, CHANGES, Output, all_steps
from imagenet_prep.engine.provenance import Provenance
from imagenet_prep.engine.step import Need
from imagenet_prep.products.registry import PRODUCTS, STEPS

BOTH = ("train", "validation")
SPLITS = (*BOTH, "test", "train_t3")
END = {("audit", "all"), ("report", "all"), ("published", "all")}
"""What looks at everything, and what follows from that."""


def with_leftovers(step: str, *splits: str) -> set[Need]:
    """A product's splits, and what takes away what else lies there of each."""
    return {(step, split) for split in splits} | {("leftovers", f"{step}-{split}") for split in splits}


def records(*splits: str) -> set[Need]:
    """The records of these splits, and what is made of them."""
    made = with_leftovers("tfrecord", *splits) | with_leftovers("tfrecord_index", *splits)
    return {*made, ("tfrecord_description", "all"), *END}


def planned(*splits: str) -> set[Need]:
    """Records in another order, or with other labels."""
    return {*(("plan", f"tfrecord-{split}") for split in splits), *records(*splits)}


def without(key: str, item: str) -> list[str]:
    """What the configuration lists under a key, less this."""
    return [it for it in CHANGES[key] if it != item]


def told(key: str, value: Any) -> str:
    """A change in a few words."""
    return f"{key}, less {set(CHANGES[key]) - set(value)}" if isinstance(value, list) else f"{key}: {value}"


def multilabel(*splits: str, planned: bool = True) -> set[Need]:
    """The multi-label set's records of these splits, in another order where they are planned anew."""
    plans = {("plan", f"tfrecord_multilabel-{split}") for split in splits} if planned else set()
    return {*with_leftovers("tfrecord_multilabel", *splits), ("tfrecord_multilabel_description", "all"), *plans}


MULTILABEL = multilabel("validation", "imagenet_m")
RECODED = multilabel("validation", "imagenet_m", planned=False)
CLASSES = {
    *(("images", split) for split in SPLITS),
    *((step, "all") for step in ("labels", "image_table", "multilabel", "predictions", "scores", "samples")),
    *with_leftovers("imagefolder", *SPLITS),
    *with_leftovers("archive_index", *SPLITS),
    *planned(*BOTH),
    *MULTILABEL,
}

FOLLOWS: list[tuple[str, Any, set[Need]]] = [
    ("tfrecord.label_base", 0, planned(*BOTH)),
    ("shards.seed", 5, planned(*BOTH) | MULTILABEL | with_leftovers("archive_index", "train", "train_t3")),
    ("tfrecord.train_shards", 3, planned("train")),
    ("tfrecord.validation_shards", 3, planned("validation") | multilabel("validation")),
    ("shards.cmyk_to_rgb", False, records(*BOTH) | RECODED),
    ("shards.png_to_jpeg", False, records(*BOTH) | RECODED),
    ("imagefolder.val_dirs", "index", with_leftovers("imagefolder", "validation") | END),
    ("subset_labels", "renumbered", CLASSES),
    ("classes", ANIMALS[:3], CLASSES | {("bboxes", "all")}),
    ("products", without("products", "bboxes"), END),
    ("publish.url", "gs://another", {("published", "all")}),
    ("use", without("use", "test"), {("image_table", "all"), ("samples", "all"), ("unused", "all"), *END}),
    ("use", without("use", "bbox_train"), planned("train") | {("bboxes", "all"), ("samples", "all")}),
    ("use", without("use", "real_labels"), {("scores", "all"), *END}),
    ("jobs.tfrecord_shards", 1, set()),
    ("jobs.imagefolder_classes", 1, set()),
    ("download.connections", 1, set()),
    ("predictions_dir", "elsewhere", set()),
    ("partial_scores", True, {("scores", "all")}),
    ("archives.train.url", None, set()),
    ("archives.train.md5", "0" * 32, set()),
    ("archives.train.bytes", 5, set()),
]


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path / "results")


def digests(asks: Provenance) -> dict[Need, str]:
    return {need: asks.digest(*need) for need in all_steps(asks)}


def differing(before: dict[Need, str], after: dict[Need, str]) -> set[Need]:
    """Of the steps that both configurations have, those with another digest."""
    return {need for need in before.keys() & after.keys() if before[need] != after[need]}


@pytest.mark.parametrize(("key", "value", "steps"), FOLLOWS, ids=[told(key, value) for key, value, _ in FOLLOWS])
def test_a_setting_changes_what_follows_alone(output: Output, key: str, value: Any, steps: set[Need]) -> None:
    assert differing(digests(output.asks()), digests(output.asks(nested(key, value)))) == steps


def test_the_same_configuration_has_the_same_digests(output: Output) -> None:
    assert digests(output.asks()) == digests(output.asks())


def test_digests_do_not_depend_on_where_the_output_folder_is(tmp_path: Path) -> None:
    assert digests(Output(tmp_path / "a" / "results").asks()) == digests(Output(tmp_path / "b" / "results").asks())


def raised(step: str, field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a step be of the next version, or of the next layout."""
    monkeypatch.setattr(STEPS[step], field, getattr(STEPS[step], field) + 1)


@pytest.mark.parametrize(
    ("step", "steps"),
    [
        ("plan", planned(*BOTH) | MULTILABEL),
        ("boxes", {*(("boxes", split) for split in BOTH), ("bboxes", "all"), ("samples", "all"), *planned(*BOTH)}),
        ("audit", END),
        ("unused", {("unused", "all"), *END}),
        ("predictions", {("predictions", "all")}),
    ],
)
def test_another_version_of_a_step_changes_all_that_follows(
    output: Output, step: str, steps: set[Need], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = digests(output.asks())
    raised(step, "version", monkeypatch)
    assert differing(before, digests(output.asks())) == steps


@pytest.mark.parametrize("step", STEPS)
def test_another_layout_changes_that_step_alone(output: Output, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = {"products": [*PRODUCTS], "classes": None}
    before = digests(output.asks(everything))
    raised(step, "layout", monkeypatch)
    assert {name for name, _ in differing(before, digests(output.asks(everything)))} == {step}


@pytest.mark.parametrize(
    ("step", "subject", "archives"),
    [
        ("devkit", "all", ["devkit"]),
        ("images", "validation", ["devkit", "val"]),
        ("imagefolder", "test", ["devkit", "test"]),
        ("tfrecord_index", "train", ["bbox_train", "devkit", "train"]),
        ("leftovers", "tfrecord-train", ["bbox_train", "devkit", "train"]),
        ("tfrecord_multilabel", "imagenet_m", ["devkit", "multilabel", "val"]),
        ("scores", "all", ["devkit", "multilabel", "real_labels"]),
        ("audit", "all", without("use", "real_labels")),
        ("report", "all", CHANGES["use"]),
    ],
)
def test_a_step_is_made_of_all_archives_before_it(output: Output, step: str, subject: str, archives: list[str]) -> None:
    assert output.asks().archives(step, subject) == sorted(archives)
