"""Predictions of a made-up model that errs by a rule, so that its scores are known beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def predictions(filenames: Sequence[str], labels: Sequence[int], indices: Sequence[int]) -> Iterator[str]:
    """Lines of CSV, `filename,top1,…,top5`: of n images n // 5 are wrong, and of these n // 10 in all five places.

    The image at place i (from 1) has its label first; second where 5 divides i; and nowhere where 10 divides i. The
    other places are filled with the indices that follow the label's, round in a circle.

    Args:
        filenames: of the images.
        labels: their right indices.
        indices: all that there are; with fewer than six of them there are fewer than five places.
    """
    places = min(5, len(indices) - 1)
    yield ",".join(["filename", *(f"top{place}" for place in range(1, places + 1))])
    for number, (filename, label) in enumerate(zip(filenames, labels, strict=True), 1):
        start = indices.index(label)
        others = [indices[(start + step) % len(indices)] for step in range(1, places + 1)]
        if number % 10 == 0:
            best = others
        elif number % 5 == 0:
            best = [others[0], label, *others[1:]]
        else:
            best = [label, *others]
        yield ",".join([filename, *map(str, best[:places])])
