"""What the XML of an image says, troubles included, and the XML itself.

The format is that of PASCAL VOC (VOC2007 development kit, "Annotations"), as in the published ILSVRC2012 boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from imagenet_prep.synthetic.model import Annotation, Box, Class, Image, Rectangle, Trouble

_POSES = ("Unspecified", "Unspecified", "Unspecified", "Frontal", "Left", "Right")


def annotate(image: Image, given: tuple[Trouble, int] | None, others: Sequence[Class]) -> Annotation:
    """The annotation of an image with the trouble given to it, in the variant of that number.

    Troubles that make a box unusable come in turns: alone in the file, or beside the true boxes. An image given
    PARTLY_OUTSIDE must have one object that touches its right edge.

    Args:
        image: the image.
        given: trouble and variant, None for none.
        others: all classes; one that is not the image's is taken where a box has another class.
    """
    trouble, variant = given if given is not None else (None, 0)
    boxes = [_box(image, rectangle, number) for number, rectangle in enumerate(image.objects)]
    width, height, folder = image.width, image.height, image.label.wnid
    filename = image.filename.removesuffix(".JPEG")
    path = f"{folder}/{filename}.xml"
    if image.split == "validation":
        folder, path = "val", f"val/{filename}.xml"
    alone = variant % 2 == 0
    match trouble:
        case Trouble.REVERSED:
            boxes[0] = _reversed(boxes[0], variant)
        case Trouble.PARTLY_OUTSIDE:
            xmax = width - 1 + max(3, width // 20)
            boxes = [replace(boxes[0], xmax=xmax, truncated=1, trouble=trouble)]
        case Trouble.OUTSIDE | Trouble.EMPTY | Trouble.OTHER_CLASS:
            bad = replace(_unusable(image, trouble, variant, others), usable=False, trouble=trouble)
            boxes = [bad] if alone else [*boxes, bad]
        case Trouble.BREED:
            boxes = [replace(box, name=image.label.breed or box.name, trouble=trouble) for box in boxes]
        case Trouble.PERCENT_NAME:
            filename = "%s"
        case Trouble.OTHER_SIZE:
            factor = 2 if alone else 3
            width, height = width * factor, height * factor
            boxes = [_enlarged(box, factor) for box in boxes]
        case Trouble.NO_OBJECTS:
            boxes = []
        case Trouble.TWICE:
            boxes.append(replace(boxes[0], trouble=trouble))
    return Annotation(path, folder, filename, width, height, tuple(boxes), trouble)


def _box(image: Image, where: Rectangle, number: int) -> Box:
    pose = _POSES[(where.xmin + number) % len(_POSES)]
    return Box(image.label.wnid, where.xmin, where.ymin, where.xmax, where.ymax, pose, 0, None, True)


def _reversed(box: Box, variant: int) -> Box:
    box = replace(box, trouble=Trouble.REVERSED)
    if variant % 3 != 1:
        box = replace(box, xmin=box.xmax, xmax=box.xmin)
    if variant % 3 != 0:
        box = replace(box, ymin=box.ymax, ymax=box.ymin)
    return box


def _unusable(image: Image, trouble: Trouble, variant: int, others: Sequence[Class]) -> Box:
    box = _box(image, image.objects[0], 0)
    if trouble is Trouble.EMPTY:
        return replace(box, xmax=box.xmin)
    if trouble is Trouble.OTHER_CLASS:
        wnid = others[(image.label.index + 1 + variant % (len(others) - 1)) % len(others)].wnid
        return replace(box, name=wnid)
    if variant % 4 < 2:
        return replace(box, xmin=image.width + 2, xmax=image.width + image.width // 2)
    return replace(box, ymin=-image.height // 2, ymax=-2)


def _enlarged(box: Box, factor: int) -> Box:
    return replace(box, xmin=box.xmin * factor, ymin=box.ymin * factor, xmax=box.xmax * factor, ymax=box.ymax * factor)


def xml(annotation: Annotation) -> bytes:
    """The file, one element a line, as the published ones are laid out."""
    lines = [
        "<annotation>",
        f"\t<folder>{annotation.folder}</folder>",
        f"\t<filename>{annotation.filename}</filename>",
        "\t<source>",
        "\t\t<database>ILSVRC_2012</database>",
        "\t</source>",
        "\t<size>",
        f"\t\t<width>{annotation.width}</width>",
        f"\t\t<height>{annotation.height}</height>",
        "\t\t<depth>3</depth>",
        "\t</size>",
        "\t<segmented>0</segmented>",
    ]
    for box in annotation.boxes:
        lines += [
            "\t<object>",
            f"\t\t<name>{box.name}</name>",
            f"\t\t<pose>{box.pose}</pose>",
            f"\t\t<truncated>{box.truncated}</truncated>",
            "\t\t<difficult>0</difficult>",
            "\t\t<bndbox>",
            f"\t\t\t<xmin>{box.xmin}</xmin>",
            f"\t\t\t<ymin>{box.ymin}</ymin>",
            f"\t\t\t<xmax>{box.xmax}</xmax>",
            f"\t\t\t<ymax>{box.ymax}</ymax>",
            "\t\t</bndbox>",
            "\t</object>",
        ]
    return "\n".join([*lines, "</annotation>", ""]).encode("ascii")
