"""The plan of a made-up ILSVRC2012: everything about it, from a seed, before a byte is written.

Images are planned anew whenever they are asked for, each class from a random source of its own, so that a world of any
size fits into memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

from imagenet_prep.synthetic import human_labels, layout, odd_files, taxonomy
from imagenet_prep.synthetic.box_files import annotate
from imagenet_prep.synthetic.model import Annotation, Class, Image, Kind, MultiLabel, Rectangle, Synset, Trouble
from imagenet_prep.synthetic.settings import Settings

SPLITS = ("train", "validation", "test", "train_t3")


@dataclass(frozen=True)
class World:
    """A planned ILSVRC2012.

    Attributes:
        settings: what it was planned from.
        synsets: the rows of `meta.mat` in the order of their ILSVRC2012 IDs.
        classes: by index.
        class_counts: for train and train_t3, images of each class by WNID, sorted.
        validation_labels: the class of each validation image, in order.
    """

    settings: Settings
    synsets: tuple[Synset, ...]
    classes: tuple[Class, ...]
    class_counts: Mapping[str, Mapping[str, int]]
    validation_labels: tuple[Class, ...]
    _oddities: Mapping[str, Mapping[int, odd_files.Oddity]]
    _annotated: frozenset[int]
    _troubles: Mapping[str, Mapping[int, tuple[Trouble, int]]]

    def count(self, split: str) -> int:
        """Number of images in a split."""
        if split == "test":
            return self.settings.test_images
        if split == "validation":
            return len(self.validation_labels)
        return sum(self.class_counts[split].values())

    def images(self, split: str) -> Iterator[Image]:
        """The images of a split in the order of its archive."""
        if split in self.class_counts:
            for wnid in self.class_counts[split]:
                yield from self.class_images(split, wnid)
            return
        rng = self._rng(split)
        for position in range(self.count(split)):
            name = "val" if split == "validation" else split
            label = self.validation_labels[position] if split == "validation" else rng.choice(self.classes)
            yield self._image(split, position, f"ILSVRC2012_{name}_{position + 1:08d}.JPEG", label, rng)

    def class_images(self, split: str, wnid: str) -> Iterator[Image]:
        """The images of one class of train or train_t3, sorted by name; the numbers have gaps, as the real ones do."""
        counts = self.class_counts[split]
        first = 0
        for earlier, count in counts.items():
            if earlier == wnid:
                break
            first += count
        rng = self._rng(split, wnid)
        label = next(label for label in self.classes if label.wnid == wnid)
        numbers = rng.sample(range(1, 20 * counts[wnid] + 1), counts[wnid])
        for position, filename in enumerate(sorted(f"{wnid}_{number}.JPEG" for number in numbers), first):
            yield self._image(split, position, filename, label, rng)

    def annotations(self, split: str) -> Iterator[tuple[Image, Annotation]]:
        """The XML files of train or validation, each with its image."""
        troubles = self._troubles[split]
        for position, image in enumerate(self.images(split)):
            if split == "validation" or position in self._annotated:
                yield image, annotate(image, troubles.get(position), self.classes)

    def multilabels(self) -> tuple[MultiLabel, ...]:
        """The judged validation images, in order."""
        return human_labels.multilabels(self.validation_labels, self.classes, self._rng("multilabel"))

    def real_labels(self) -> list[list[int]]:
        """ReaL: for each validation image in order the indices that it shows, none where nobody could say."""
        return human_labels.real_labels(self.validation_labels, len(self.classes), self._rng("real_labels"))

    def _rng(self, *purpose: str) -> Random:
        return _rng(self.settings, *purpose)

    def _image(self, split: str, position: int, filename: str, label: Class, rng: Random) -> Image:
        width, height = layout.size(self.settings.max_side, rng)
        objects = layout.objects(width, height, rng)
        if self._troubles.get(split, {}).get(position, (None,))[0] is Trouble.PARTLY_OUTSIDE:
            objects = (_to_right_edge(objects[0], width),)
        kind, orientation = self._oddities[split].get(position, (Kind.RGB, 1))
        return Image(split, filename, label, width, height, kind, orientation, objects)


def plan(settings: Settings) -> World:
    """Plan the whole of a made-up ILSVRC2012; no file is read or written.

    The same settings give the same world, in any process.
    """
    leaves = taxonomy.leaves(settings.classes)
    by_wnid = sorted(leaf.wnid for leaf in leaves)
    internal = taxonomy.internal(leaves)
    dogs = _below(internal, taxonomy.DOG)
    t3 = [leaf for leaf in leaves if dogs & set(leaf.parents)] + [
        leaf for leaf in leaves if not dogs & set(leaf.parents)
    ]
    counts = {
        "train": _counts(settings, "train", by_wnid, settings.train_images_per_class),
        "train_t3": _counts(
            settings,
            "train_t3",
            sorted(leaf.wnid for leaf in t3[: settings.train_t3_classes]),
            settings.train_t3_images_per_class,
        ),
    }
    synsets = _number(settings, leaves, internal, counts["train"])
    ids = {synset.wnid: synset.ilsvrc2012_id for synset in synsets}
    breeds = {leaf.wnid: _breed(leaf.words) for leaf in leaves if dogs & set(leaf.parents)}
    words = {leaf.wnid: leaf.words for leaf in leaves}
    classes = tuple(Class(index, ids[wnid], wnid, words[wnid], breeds.get(wnid)) for index, wnid in enumerate(by_wnid))
    labels = [label for label in classes for _ in range(settings.val_images_per_class)]
    _rng(settings, "validation_labels").shuffle(labels)

    world = World(settings, synsets, classes, counts, tuple(labels), {}, frozenset(), {})
    oddities = {split: odd_files.oddities(split, world.count(split), _rng(settings, "odd", split)) for split in SPLITS}
    annotated = odd_files.annotated(world.count("train"), _rng(settings, "annotated"))
    troubles = odd_files.troubles(
        annotated, _positions(counts["train"], set(breeds)), len(classes) > 1, _rng(settings, "troubles")
    )
    # The real validation boxes are clean, but four images have a box twice.
    twice = {_rng(settings, "twice").randrange(len(labels)): (Trouble.TWICE, 0)}
    return replace(world, _oddities=oddities, _annotated=annotated, _troubles={"train": troubles, "validation": twice})


def _rng(settings: Settings, *purpose: str) -> Random:
    # Seeded with text, which random hashes with SHA-512: the same in every process.
    return Random(":".join((str(settings.seed), *purpose)))


def _counts(settings: Settings, split: str, wnids: list[str], average: int) -> dict[str, int]:
    rng = _rng(settings, split, "counts")
    return {wnid: max(1, round(average * rng.uniform(0.75, 1.25))) for wnid in wnids}


def _below(internal: list[taxonomy.Concept], wnid: str) -> set[str]:
    below = {wnid}
    while more := {concept.wnid for concept in internal if below & set(concept.parents)} - below:
        below |= more
    return below


def _number(
    settings: Settings, leaves: list[taxonomy.Concept], internal: list[taxonomy.Concept], train: Mapping[str, int]
) -> tuple[Synset, ...]:
    """Gives the synsets their IDs: classes first, out of the order of their WNIDs, then the tree, depth first."""
    children: dict[str, list[taxonomy.Concept]] = {}
    for concept in [*leaves, *internal]:
        for parent in concept.parents:
            children.setdefault(parent, []).append(concept)
    # Kit fox stays the first, as in the real devkit; it never has the first WNID, so that no ID can pass for a rank.
    rest = leaves[1:]
    _rng(settings, "ids").shuffle(rest)
    ordered = {concept.wnid: concept for concept in [leaves[0], *rest]}
    waiting = [concept for concept in internal if not concept.parents]
    while waiting:
        concept = waiting.pop()
        if concept.wnid not in ordered:
            ordered[concept.wnid] = concept
            waiting += reversed(children.get(concept.wnid, []))
    ids = {wnid: number for number, wnid in enumerate(ordered, 1)}
    return tuple(
        Synset(
            ids[wnid],
            wnid,
            concept.words,
            concept.gloss,
            tuple(sorted(ids[child.wnid] for child in children.get(wnid, []))),
            concept.wordnet_height,
            train.get(wnid, 0),
        )
        for wnid, concept in ordered.items()
    )


def _breed(words: str) -> str:
    return words.split(",")[0].replace(" ", "_")


def _positions(counts: Mapping[str, int], wnids: set[str]) -> list[range]:
    ranges, first = [], 0
    for wnid, count in counts.items():
        if wnid in wnids:
            ranges.append(range(first, first + count))
        first += count
    return ranges


def _to_right_edge(box: Rectangle, width: int) -> Rectangle:
    shift = width - 1 - box.xmax
    return replace(box, xmin=box.xmin + shift, xmax=width - 1)
