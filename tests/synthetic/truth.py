"""The known numbers of a made-up ILSVRC2012, which the tests hold its archives against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from imagenet_prep.synthetic import human_labels
from imagenet_prep.synthetic.model import Kind, Trouble
from imagenet_prep.synthetic.world import SPLITS, World


@dataclass(frozen=True)
class BoxTruth:
    """Numbers of the XML files of a split.

    Attributes:
        files: XML files.
        boxes: <object> elements in them.
        usable: boxes that TensorFlow's script would keep.
        images_with_usable: images that have such a box.
        troubled: boxes by what is special about them (reversed, outside, partly_outside, empty, other_class, breed,
            twice).
        troubled_files: files by what is special about them or one of their boxes (these, and percent_name, other_size,
            no_objects).
    """

    files: int
    boxes: int
    usable: int
    images_with_usable: int
    troubled: Mapping[Trouble, int]
    troubled_files: Mapping[Trouble, int]


@dataclass(frozen=True)
class MultiLabelTruth:
    """Numbers of the multi-label set: images in all, those of each sort, and names that are no validation images."""

    images: int
    problematic: int
    without_correct: int
    original_correct: int
    with_unclear: int
    with_wrong: int
    imagenet_m: int
    foreign_names: int


@dataclass(frozen=True)
class Truth:
    """What is in the archives.

    Attributes:
        images: number by split (train, validation, test, train_t3).
        class_images: number by split and WNID; not for test, whose labels nobody is told.
        kinds: number by split and kind of file.
        boxes: by split, train and validation.
        multilabel: the multi-label set.
        real_empty: images without a ReaL label.
        synsets: rows of `meta.mat`, internal ones too.
    """

    images: Mapping[str, int]
    class_images: Mapping[str, Mapping[str, int]]
    kinds: Mapping[str, Mapping[Kind, int]]
    boxes: Mapping[str, BoxTruth]
    multilabel: MultiLabelTruth
    real_empty: int
    synsets: int


def truth_of(world: World) -> Truth:
    """Count everything that was planned."""
    kinds = {split: Counter(image.kind for image in world.images(split)) for split in SPLITS}
    validation = Counter(sorted(label.wnid for label in world.validation_labels))
    return Truth(
        images={split: world.count(split) for split in SPLITS},
        class_images={**world.class_counts, "validation": validation},
        kinds=kinds,
        boxes={split: _box_truth(world, split) for split in ("train", "validation")},
        multilabel=_multilabel_truth(world),
        real_empty=sum(not row for row in world.real_labels()),
        synsets=len(world.synsets),
    )


def _box_truth(world: World, split: str) -> BoxTruth:
    files = boxes = usable = images_with_usable = 0
    troubled: Counter[Trouble] = Counter()
    troubled_files: Counter[Trouble] = Counter()
    for _, annotation in world.annotations(split):
        files += 1
        boxes += len(annotation.boxes)
        kept = sum(box.usable for box in annotation.boxes)
        usable += kept
        images_with_usable += kept > 0
        troubled.update(box.trouble for box in annotation.boxes if box.trouble is not None)
        if annotation.trouble is not None:
            troubled_files[annotation.trouble] += 1
    return BoxTruth(files, boxes, usable, images_with_usable, troubled, troubled_files)


def _multilabel_truth(world: World) -> MultiLabelTruth:
    judged = world.multilabels()
    return MultiLabelTruth(
        images=len(judged),
        problematic=sum(row.problematic for row in judged),
        without_correct=sum(not row.correct for row in judged),
        original_correct=sum(row.original in row.correct for row in judged),
        with_unclear=sum(bool(row.unclear) for row in judged),
        with_wrong=sum(bool(row.wrong) for row in judged),
        imagenet_m=len(human_labels.imagenet_m(judged)),
        foreign_names=len(human_labels.foreign_names(judged)),
    )
