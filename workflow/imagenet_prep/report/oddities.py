"""The odd images, in groups, as the page shows them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagenet_prep.engine.shard_writer import Reencoding
from imagenet_prep.report.box_figures import Box
from imagenet_prep.report.samples import SIDE, Shown
from imagenet_prep.report.survey import EXTREMES, Picture, Survey

COLUMNS = 12
"""How many thumbnails a line of their sheet has."""

TURNED = 24
"""How many images with an EXIF orientation are shown at most."""

_TURNS = {
    2: "mirrored",
    3: "turned by 180°",
    4: "mirrored, turned by 180°",
    5: "mirrored, then turned by 90° to the left",
    6: "turned by 90° to the right",
    7: "mirrored, then turned by 90° to the right",
    8: "turned by 90° to the left",
}
_TITLES = {
    "largest": ("Largest", "By their number of pixels."),
    "smallest": ("Smallest", "By their number of pixels."),
    "most bytes": ("Most bytes", "The largest files."),
    "fewest bytes": ("Fewest bytes", "The smallest files."),
}


@dataclass(frozen=True)
class Encoding:
    """Which images the shards hold encoded again: of `splits`, those that `again` names."""

    again: Reencoding
    splits: Collection[str]

    def changes(self, picture: Picture) -> bool:
        """Whether this image is one of them."""
        return picture.split in self.splits and self.again.wanted(picture._asdict())


@dataclass(frozen=True)
class Group:
    """Images that are odd in the same way; `count` says how many there are, for people."""

    title: str
    count: str
    note: str
    pictures: list[Picture]


def marks(picture: Picture, turn: int, encoding: Encoding) -> list[str]:
    """What is odd about an image with this EXIF orientation, for people."""
    found = []
    if picture.colorspace == "CMYK":
        found.append("CMYK")
    if picture.format == "PNG":
        found.append("a PNG file called .JPEG")
    if encoding.changes(picture):
        found.append("encoded again in shards")
    if turn in _TURNS:
        found.append(f"EXIF orientation {turn}: to be shown {_TURNS[turn]}")
    return found


def groups(survey: Survey, orientations: Mapping[Picture, int]) -> list[Group]:
    """All groups, in the page's order.

    Args:
        survey: what is odd by the table of images.
        orientations: the EXIF orientation of each image that the page shows; the others were not decoded.
    """
    count, turned = survey.odd_count, turned_of(orientations)
    found = [
        Group(
            "CMYK",
            _counted(count["CMYK"], survey.odd["CMYK"]),
            "Four channels. Programs that expect three fail or show wrong colours.",
            survey.odd["CMYK"],
        ),
        Group(
            "PNG",
            _counted(count["PNG"], survey.odd["PNG"]),
            "PNG files with names that end in .JPEG.",
            survey.odd["PNG"],
        ),
        Group(
            "Turned by EXIF",
            _counted(len(turned), turned[:TURNED]),
            "Some viewers turn these images, and their boxes then lie elsewhere. Looked for in the "
            f"{len(orientations)} images that this page shows, not in all.",
            list(turned[:TURNED]),
        ),
    ]
    for extreme in EXTREMES:
        title, note = _TITLES[extreme.name]
        found.append(Group(title, "", note, survey.extremes.get(extreme.name, [])))
    return found


def turned_of(orientations: Mapping[Picture, int]) -> list[Picture]:
    """The images that have an EXIF orientation, by split and name."""
    return sorted((it for it, turn in orientations.items() if turn != 1), key=lambda it: (it.split, it.filename))


def as_rows(
    group: Group,
    odd: Sequence[Shown],
    boxes: Mapping[tuple[str, str], list[Box]],
    words: Mapping[str, str],
    encoding: Encoding,
) -> list[dict[str, Any]]:
    """The group's images with what the template shows of each.

    Args:
        group: the group.
        odd: what is on the sheet, line by line.
        boxes: usable boxes by split and file name.
        words: of the classes, by WNID.
        encoding: which images are encoded again.
    """
    rows = []
    numbers = {shown.picture: number for number, shown in enumerate(odd)}
    for it in group.pictures:
        y, x = divmod(numbers[it], COLUMNS)
        shown = odd[numbers[it]]
        rows.append(
            {
                **it._asdict(),
                "words": words.get(it.wnid or ""),
                "size": shown.size,
                "left": x * SIDE,
                "top": y * SIDE,
                "boxes": permille(boxes.get((it.split, it.filename), [])),
                "special": marks(it, shown.orientation, encoding),
            }
        )
    return rows


def permille(boxes: Sequence[Box]) -> list[list[int]]:
    """Boxes as whole thousandths of their image."""
    return [[round(1000 * edge) for edge in box] for box in boxes]


def _counted(count: int, shown: Sequence[Picture]) -> str:
    return str(count) if count == len(shown) else f"{count}, the first {len(shown)} of them"
