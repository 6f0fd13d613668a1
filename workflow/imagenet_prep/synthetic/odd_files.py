"""Who gets the odd kinds of files and the troubles of boxes: known numbers of them, drawn from the seed.

Positions count the images of a split in the order of the archive, from 0. Where there are too few images, what stands
last in the orders below is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random

from imagenet_prep.synthetic.model import Kind, Trouble

Oddity = tuple[Kind, int]  # kind and EXIF orientation

_GRAY: Oddity = (Kind.GRAYSCALE, 1)
_ODDITIES: dict[str, tuple[Oddity, ...]] = {
    "train": (
        (Kind.CMYK_INVERTED, 1),
        (Kind.CMYK, 1),
        (Kind.PNG, 1),
        _GRAY,
        _GRAY,
        (Kind.EXIF, 6),
        (Kind.PNG_RGBA, 1),
        (Kind.PROGRESSIVE, 1),
        (Kind.EXIF, 3),
        (Kind.EXIF, 8),
        (Kind.EXIF, 2),
        (Kind.CMYK_INVERTED, 1),
        (Kind.EXIF, 5),
    ),
    "validation": ((Kind.CMYK_INVERTED, 1), _GRAY, _GRAY, (Kind.EXIF, 6), (Kind.CMYK, 1), (Kind.PROGRESSIVE, 1)),
    "test": (_GRAY, _GRAY),
    "train_t3": (_GRAY, _GRAY),
}
_GRAY_SHARE = 0.02

_TROUBLES = (
    Trouble.REVERSED,
    Trouble.OUTSIDE,
    Trouble.PARTLY_OUTSIDE,
    Trouble.EMPTY,
    Trouble.OTHER_CLASS,
    Trouble.BREED,
    Trouble.PERCENT_NAME,
    Trouble.OTHER_SIZE,
    Trouble.NO_OBJECTS,
)
_TROUBLE_SHARE = 0.02
_ANNOTATED_SHARE = 0.43


def oddities(split: str, images: int, rng: Random) -> dict[int, Oddity]:
    """The positions whose file is not a plain RGB JPEG; at most half of the images."""
    wanted = list(_ODDITIES[split])
    wanted += [_GRAY] * (round(_GRAY_SHARE * images) - wanted.count(_GRAY))
    wanted = wanted[: images // 2]
    return dict(zip(rng.sample(range(images), len(wanted)), wanted, strict=True))


def annotated(images: int, rng: Random) -> frozenset[int]:
    """The positions of the training images that have an XML file."""
    return frozenset(rng.sample(range(images), round(_ANNOTATED_SHARE * images)))


def troubles(
    annotated: Collection[int], dogs: Sequence[range], other_classes: bool, rng: Random
) -> dict[int, tuple[Trouble, int]]:
    """The positions with a trouble in their XML, at most half of `annotated`.

    Args:
        annotated: positions with an XML file.
        dogs: the positions of dogs; only they have breeds.
        other_classes: whether there is a class besides an image's own.
        rng: source of the draw.

    Returns:
        For each position its trouble, and how many had the same before it: 0, 1, 2 …, so that variants take turns.
    """
    free = rng.sample(sorted(annotated), len(annotated))
    free_dogs = [position for position in free if any(position in dog for dog in dogs)]
    each = max(1, round(_TROUBLE_SHARE * len(annotated)))
    given: dict[int, tuple[Trouble, int]] = {}
    for turn in range(each):
        for trouble in _TROUBLES:
            if len(given) >= len(annotated) // 2 or (trouble is Trouble.OTHER_CLASS and not other_classes):
                continue
            queue = free_dogs if trouble is Trouble.BREED else free
            while queue and queue[-1] in given:
                queue.pop()
            if queue:
                given[queue.pop()] = (trouble, turn)
    return given
