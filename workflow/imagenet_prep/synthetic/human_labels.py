"""What people later said about the validation images: multi-label judgements and ReaL labels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any, TextIO

from imagenet_prep.synthetic.model import Class, MultiLabel

_JUDGED_SHARE = 0.4  # of the validation images
_WRONG_SHARE = 0.67  # of the judged images that have wrong labels
_FOREIGN_SHARE = 0.1  # names that are no validation images, per judged image
_REAL_EMPTY_SHARE = 0.06  # of the images that have no ReaL label


def multilabels(labels: Sequence[Class], classes: Sequence[Class], rng: Random) -> tuple[MultiLabel, ...]:
    """Judge about 40 % of the images, at least two.

    By their place in the draw, the judged images are in turns of twenty: problematic (first), without a correct label
    (second), with unclear ones (third), with another class than the original as the correct one (fourth), with several
    correct ones (fifth).
    """
    chosen = rng.sample(range(len(labels)), min(len(labels), max(2, round(_JUDGED_SHARE * len(labels)))))
    judged = {place: _judge(turn % 20, place, labels[place], classes, rng) for turn, place in enumerate(chosen)}
    return tuple(judged[place] for place in sorted(judged))


def _judge(case: int, place: int, label: Class, classes: Sequence[Class], rng: Random) -> MultiLabel:
    others = [other.wnid for other in rng.sample(classes, min(5, len(classes))) if other is not label]
    correct, unclear = [label.wnid], []
    wrong = [others.pop() for _ in range(rng.randint(1, 2)) if others] if rng.random() < _WRONG_SHARE else []
    if case == 1:
        correct = []
        wrong.append(label.wnid)
    elif case == 2 and others:
        unclear = [others.pop()]
    elif case == 3 and others:
        correct = [others.pop()]
        wrong.append(label.wnid)
    elif case == 4 and others:
        correct.append(others.pop())
    filename = f"ILSVRC2012_val_{place + 1:08d}.JPEG"
    return MultiLabel(filename, label.wnid, tuple(correct), tuple(wrong), tuple(unclear), case == 0)


def real_labels(labels: Sequence[Class], classes: int, rng: Random) -> list[list[int]]:
    """Lists of indices: 6 % of the images have none (at least one image), some several, 8 % not the original one."""
    empty = set(rng.sample(range(len(labels)), max(1, round(_REAL_EMPTY_SHARE * len(labels)))))
    rows: list[list[int]] = []
    for place, label in enumerate(labels):
        more = [index for index in rng.sample(range(classes), min(3, classes)) if index != label.index]
        draw = rng.random()
        if place in empty:
            rows.append([])
        elif draw < 0.08 and more:
            rows.append(more[:1])
        elif draw < 0.25:
            rows.append([label.index, *more[:2]])
        else:
            rows.append([label.index])
    return rows


def imagenet_m(judged: Sequence[MultiLabel]) -> list[str]:
    """The images on which the best models are plainly wrong: every seventh of those with a correct label."""
    return [row.filename for row in judged if row.correct and not row.problematic][::7]


def foreign_names(judged: Sequence[MultiLabel]) -> list[str]:
    """Names among the judged ones that are no validation images (of another test set), at least one."""
    count = max(1, round(_FOREIGN_SHARE * len(judged)))
    return [f"imagenetv2-matched-frequency/{number % 7}/{number:040x}.jpeg" for number in range(count)]


def write_multilabel(judged: Sequence[MultiLabel], file: TextIO) -> None:
    """Write the JSON of the multi-label set, with keys around the wanted ones that a reader has to skip.

    One of these holds keys of the same names again, a level deeper. An empty list is mostly left out, as in the
    published file.
    """
    annotations: dict[str, dict[str, list[str]]] = {}
    for number, row in enumerate(judged):
        lists = {"correct": row.correct, "wrong": row.wrong, "unclear": row.unclear}
        annotations[row.filename] = {key: list(value) for key, value in lists.items() if value or number % 5 == 0}
    first = next(iter(annotations.values()))
    annotations |= dict.fromkeys(foreign_names(judged), first)
    scores = {row.filename: [len(row.filename) * step % 97 / 97 for step in range(20)] for row in judged}
    value: dict[str, Any] = {
        "model_predictions": {f"model_{number}": scores for number in range(3)},
        "initial_annots": annotations,
        "reviews": {
            "initial_annots": {"a panel": {"correct": ["n00000000"]}},
            "problematic_images": {"a panel": True},
            "imagenet_m": ["a panel"],
        },
        "problematic_images": {row.filename: True for row in judged if row.problematic}
        | dict.fromkeys(foreign_names(judged)[:1], True),
        "imagenet_m": imagenet_m(judged),
        "num_annotators": 5,
    }
    json.dump(value, file)
    file.write("\n")
