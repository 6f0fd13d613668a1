"""Sizes of the images, and where their objects are."""

from __future__ import annotations

from random import Random

from imagenet_prep.synthetic.model import Rectangle

_RATIOS = (1.0, 0.75, 0.75, 0.75, 2 / 3, 0.5625)  # shorter side by longer side; photographs are mostly 4:3
_COUNTS = (1, 1, 1, 1, 1, 2, 2, 3, 4)
_ROOM_FOR_MANY = 64  # pixels of the shorter side that several objects need


def caption_height(height: int) -> int:
    """Rows of pixels at the top that belong to the text."""
    return height * 3 // 10


def size(max_side: int, rng: Random) -> tuple[int, int]:
    """Width and height in pixels: landscape or portrait, the longer side up to `max_side`."""
    longer = rng.randint(max(max_side * 5 // 8, 16), max_side)
    shorter = max(12, round(longer * rng.choice(_RATIOS)))
    return (longer, shorter) if rng.random() < 0.7 else (shorter, longer)


def objects(width: int, height: int, rng: Random) -> tuple[Rectangle, ...]:
    """One to four boxes below the text that do not overlap."""
    count = rng.choice(_COUNTS) if min(width, height) >= _ROOM_FOR_MANY else 1
    columns, rows = (2, 2) if count > 2 else (count, 1) if width >= height else (1, count)
    top = caption_height(height)
    cell_width, cell_height = width // columns, (height - top) // rows
    return tuple(
        _inside(number % columns * cell_width, top + number // columns * cell_height, cell_width, cell_height, rng)
        for number in range(count)
    )


def _inside(left: int, top: int, width: int, height: int, rng: Random) -> Rectangle:
    box_width, box_height = rng.randint(width // 2, width * 9 // 10), rng.randint(height // 2, height * 9 // 10)
    xmin = left + rng.randint(0, width - box_width)
    ymin = top + rng.randint(0, height - box_height)
    return Rectangle(xmin, ymin, xmin + box_width - 1, ymin + box_height - 1)
