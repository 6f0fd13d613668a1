"""The bounding boxes: one row a box of the XML archives, with what TensorFlow's script makes of it.

The rules are those of `process_bounding_boxes.py` of TensorFlow's slim models: corners are divided by the XML's own
size, ordered, clipped to 0 ... 1, and boxes without area or of another class are of no use for training.
"""

from __future__ import annotations

import os
import re
import tempfile
from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imagenet_prep.datasets.dataset import BOX_SIDES
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import files, parquet, voc

BOXES = pa.schema(
    [
        ("split", pa.string()),
        ("filename", pa.string()),
        ("image_wnid", pa.string()),
        ("wnid", pa.string()),
        ("name", pa.string()),
        *((side, pa.float64()) for side in BOX_SIDES),  # 0 ... 1 of the size that the XML names
        *((f"{side}_px", pa.float64()) for side in BOX_SIDES),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("pose", pa.string()),
        ("truncated", pa.int32()),
        ("difficult", pa.int32()),
        ("source", pa.string()),
        ("usable", pa.bool_()),
        ("problem", pa.string()),
    ]
)

# The words of the column `problem`; where several apply, they are joined by "; ".
PLACEHOLDER = "file name is a placeholder"
OTHER_FILENAME = "file name of another image"
NO_SUCH_IMAGE = "no such image"
IMAGE_OF_NO_CLASS = "image of no class"
OTHER_CLASS = "name of another class"
NO_CLASS = "name of no class"
REVERSED = "reversed"
CLIPPED = "clipped"
OUTSIDE = "outside"
EMPTY = "empty"
PROBLEMS = (
    PLACEHOLDER,
    OTHER_FILENAME,
    NO_SUCH_IMAGE,
    IMAGE_OF_NO_CLASS,
    OTHER_CLASS,
    NO_CLASS,
    REVERSED,
    CLIPPED,
    OUTSIDE,
    EMPTY,
)
# Those with which a box does not go into the TFRecords.
UNUSABLE = frozenset({NO_SUCH_IMAGE, IMAGE_OF_NO_CLASS, OTHER_CLASS, OUTSIDE, EMPTY})

_BATCH = 1 << 15  # boxes
_ROW_GROUP = 1 << 16  # boxes
_TRAIN_NAME = re.compile(r"(n\d{8})_\d+", re.ASCII)
_REMEDY = "Compare the archive's checksum, and that it is the one that the configuration takes it for"

Row = tuple[Any, ...]


def write_boxes(
    archive: Path,
    split: str,
    image_wnids: Mapping[str, str] | None,
    class_wnids: Collection[str],
    output: Path,
) -> dict[str, int]:
    """Write the boxes of an archive of XML files as Parquet, schema BOXES, by image and then in the order of the XML.

    The name of an XML file says which image it is of, whatever its `<filename>` says. Other members are passed over.

    Args:
        archive: plain or gzip-compressed tar; in train, each XML is in a folder named after its WNID.
        split: the name of the images' split.
        image_wnids: the WNID of each validation image by file name; None for train, where the name begins with it.
        class_wnids: of all classes of the devkit, also of those that are not in use.
        output: the Parquet file.

    Returns:
        Counts: `xml_files`, `boxes`, `usable`, and how often each of PROBLEMS was seen.

    Raises:
        PrepError: the archive or an XML in it cannot be read, has no XML, two for an image, or (train) one whose name
            and folder do not tell the same WNID.
    """
    class_wnids = frozenset(class_wnids)
    counts: Counter[str] = Counter()
    seen, usable = array("q"), 0
    names = []
    output.parent.mkdir(parents=True, exist_ok=True)
    # The rows wait in a file without a name; only the file names, by which they are sorted, are held.
    with tempfile.TemporaryFile(dir=output.parent) as unsorted:
        with parquet.into(unsorted, BOXES) as writer:
            for batch in _batches(archive, split, image_wnids, class_wnids, counts, seen):
                writer.write_batch(batch)
                names.append(batch["filename"])
                usable += pc.sum(batch["usable"]).as_py() or 0
        unsorted.flush()  # or a full disk would be met in reading, as a damaged table
        if not seen:
            raise PrepError(archive, "there is no XML file in it: it is no archive of bounding boxes", _REMEDY)
        _expect_one_each(archive, seen)
        filenames = pa.chunked_array(names, pa.string())
        row = pa.array(np.arange(len(filenames)))
        keys = pa.table({"filename": filenames, "row": row})
        order = pc.sort_indices(keys, sort_keys=[("filename", "ascending"), ("row", "ascending")]).to_numpy()
        with parquet.writing(output, BOXES) as writer:
            for start in range(0, len(order), _ROW_GROUP):
                rows = order[start : start + _ROW_GROUP].astype(np.int64)
                writer.write_table(parquet.gather(unsorted, rows, BOXES.names))
    found = {"xml_files": len(seen), "boxes": len(order), "usable": usable}
    return found | {problem: counts[problem] for problem in PROBLEMS}


def _batches(
    archive: Path,
    split: str,
    image_wnids: Mapping[str, str] | None,
    class_wnids: frozenset[str],
    counts: Counter[str],
    seen: array[int],
) -> Iterator[pa.RecordBatch]:
    """The rows in the archive's order; `seen` gets a number for each XML, the same where two are of one image."""
    rows: list[Row] = []
    for member, xml in files.read_files(archive):
        described = _described(member.name)
        if described is None:
            continue
        seen.append(hash(described))
        folder, stem = member.name.rpartition("/")[0], described.removesuffix(".JPEG")
        image_wnid = (
            _train_wnid(archive, member.name, folder, stem) if image_wnids is None else image_wnids.get(described)
        )
        annotation = voc.parse(xml, str(archive), member.name)
        for box, is_usable, problem in _boxes(annotation, stem, image_wnid, class_wnids, counts):
            rows.append((split, described, image_wnid, *box, member.name, is_usable, problem))
        if len(rows) >= _BATCH:
            yield _batch(rows)
            rows = []
    yield _batch(rows)


def _described(member: str) -> str | None:
    """The file name of the image that a member of the archive describes; None where that is no XML."""
    stem, suffix = os.path.splitext(member.rpartition("/")[2])
    return f"{stem}.JPEG" if suffix.lower() == ".xml" else None


def _expect_one_each(archive: Path, seen: array[int]) -> None:
    """Refuse an archive with two XML files of one image; which they are is looked up where numbers are equal."""
    numbers, times = np.unique(np.frombuffer(seen, np.int64), return_counts=True)
    suspects = set(numbers[times > 1].tolist())
    first: dict[str, str] = {}
    for member, _ in files.read_files(archive) if suspects else ():
        described = _described(member.name)
        if described is None or hash(described) not in suspects:
            continue
        if described in first:
            problem = f"two XML files describe the image {described}: this one and {first[described]!r}"
            raise PrepError(archive, problem, _REMEDY, member=member.name)
        first[described] = member.name


def tabulate_boxes(parts: Sequence[Path], wnids: Collection[str] | None, output: Path) -> None:
    """Write the rows of several tables of schema BOXES as one, in the order given.

    Args:
        parts: what `write_boxes` wrote.
        wnids: the classes in use: rows of images of other classes, or of none, are left out. None keeps every row.
        output: the Parquet file.

    Raises:
        PrepError: one of the parts is damaged or of another kind.
    """
    in_use = None if wnids is None else pa.array(sorted(wnids), pa.string())
    with parquet.writing(output, BOXES) as writer:
        for part in parts:
            file = parquet.open_table(part, schema=BOXES)
            for group in range(file.num_row_groups):
                table = parquet.read_groups(file, part, [group])
                if in_use is not None:
                    table = table.filter(pc.is_in(table["image_wnid"], value_set=in_use))
                if len(table):
                    writer.write_table(table)


def _train_wnid(archive: Path, member: str, folder: str, stem: str) -> str:
    name = _TRAIN_NAME.fullmatch(stem)
    if name is None:
        problem = "the XML's name is not that of a train image, WNID_number"
        raise PrepError(archive, problem, _REMEDY, member=member)
    folder = folder.rpartition("/")[2]
    if folder != name[1]:
        problem = f"the XML's name says {name[1]}, but its folder {folder!r}"
        raise PrepError(archive, problem, _REMEDY, member=member)
    return name[1]


def _boxes(
    annotation: voc.Annotation, stem: str, image_wnid: str | None, class_wnids: frozenset[str], counts: Counter[str]
) -> Iterator[tuple[Row, bool, str | None]]:
    """Of each box of an XML the columns from `wnid` to `difficult`, and `usable` and `problem`; counts the problems."""
    width, height = annotation.width, annotation.height
    of_image: list[str] = []
    if annotation.filename is not None and "%s" in annotation.filename:
        of_image.append(PLACEHOLDER)
    elif annotation.filename is not None and annotation.filename.removesuffix(".JPEG") != stem:
        of_image.append(OTHER_FILENAME)
    if image_wnid is None:
        of_image.append(NO_SUCH_IMAGE)
    elif image_wnid not in class_wnids:
        of_image.append(IMAGE_OF_NO_CLASS)
    for it in annotation.objects:
        problems = of_image.copy()
        wnid = it.name if it.name in class_wnids else image_wnid
        if image_wnid is not None and it.name != image_wnid:
            problems.append(OTHER_CLASS if it.name in class_wnids else NO_CLASS)
        if it.xmin > it.xmax or it.ymin > it.ymax:
            problems.append(REVERSED)
        xmin, xmax, x_problem = _scaled(it.xmin, it.xmax, width)
        ymin, ymax, y_problem = _scaled(it.ymin, it.ymax, height)
        worst = max(x_problem, y_problem)
        if worst:
            problems.append(_EDGE_PROBLEMS[worst])
        counts.update(problems)
        box = (
            *(wnid, it.name),
            *(xmin, ymin, xmax, ymax),
            *(float(it.xmin), float(it.ymin), float(it.xmax), float(it.ymax)),
            *(width, height),
            *(it.pose, it.truncated, it.difficult),
        )
        yield box, UNUSABLE.isdisjoint(problems), "; ".join(problems) or None


_EDGE_PROBLEMS = ("", CLIPPED, OUTSIDE, EMPTY)  # from good to bad


def _scaled(one: float, other: float, size: int) -> tuple[float, float, int]:
    """Both edges along one axis as ordered fractions of the size, clipped to 0 ... 1, and the rank of their problem."""
    low, high = (one, other) if one <= other else (other, one)
    first, last = low / size, high / size
    clipped_first, clipped_last = min(max(first, 0.0), 1.0), min(max(last, 0.0), 1.0)
    if first == last:
        rank = 3
    elif clipped_first == clipped_last:
        rank = 2
    else:
        rank = int(first < 0.0 or last > 1.0)
    return clipped_first, clipped_last, rank


def _batch(rows: list[Row]) -> pa.RecordBatch:
    columns = zip(*rows, strict=True) if rows else ([] for _ in BOXES)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, BOXES, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=BOXES)
