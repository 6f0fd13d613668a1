"""The classes in use, in every numbering that people know, and the tree that they are the leaves of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from imagenet_prep.errors import PrepError, reading_again

CLASSES = pa.schema(
    [
        ("class_index", pa.int32()),
        ("wnid", pa.string()),
        ("ilsvrc2012_id", pa.int32()),
        ("tf_label", pa.int32()),
        ("words", pa.string()),
        ("num_train_images", pa.int32()),
    ]
)
VALIDATION_LABELS = pa.schema(
    [
        ("filename", pa.string()),
        ("ilsvrc2012_id", pa.int32()),
        ("wnid", pa.string()),
        ("class_index", pa.int32()),
    ]
)
_OF_DEVKIT = ("ilsvrc2012_id", "num_train_images")  # null where there is none
_KEY = "configuration key classes"


def has_ids(synsets: pa.Table) -> bool:
    """Whether the synsets are a devkit's; else their IDs are numbers made up for this table, which nobody is shown."""
    return bool(synsets["gloss"].null_count == 0)


def select_classes(
    synsets: pa.Table, wnids: Sequence[str] | None, subset_labels: Literal["original", "renumbered"]
) -> pa.Table:
    """The classes in use, schema CLASSES, by class_index.

    The class_index is the rank of a class among the sorted WNIDs, from 0: of the whole set, or of the subset with
    `renumbered`. PyTorch, Keras and TFDS number alike. `tf_label` is one more, as the TensorFlow scripts number.

    Args:
        synsets: the devkit's, schema SYNSETS.
        wnids: the subset, in any order, or None for all classes.
        subset_labels: which set the ranks are counted in.

    Raises:
        PrepError: the subset is empty, or names what is no class, or a class twice.
    """
    leaves = {row["wnid"]: row for row in synsets.to_pylist() if row["num_children"] == 0}
    if wnids is None:
        chosen = sorted(leaves)
    else:
        _check_subset(wnids, leaves, set(synsets["wnid"].to_pylist()))
        chosen = sorted(wnids)
    numbered = chosen if subset_labels == "renumbered" else sorted(leaves)
    index = {wnid: i for i, wnid in enumerate(numbered)}
    rows = [{**leaves[wnid], "class_index": index[wnid], "tf_label": index[wnid] + 1} for wnid in chosen]
    if not has_ids(synsets):
        rows = [{**row, "ilsvrc2012_id": None} for row in rows]
    return pa.Table.from_pylist(rows, schema=CLASSES)


def read_classes(path: Path) -> pa.Table:
    """The classes in use from `labels/classes.csv`, schema CLASSES, in the file's order.

    Raises:
        PrepError: the file is missing or damaged.
    """
    options = pyarrow.csv.ConvertOptions(column_types=CLASSES, include_columns=CLASSES.names)
    with reading_again(path):
        classes = pyarrow.csv.read_csv(path, convert_options=options)
        if not len(classes):
            raise ValueError("no class is in it")
        known = [name for name in CLASSES.names if name not in _OF_DEVKIT or classes[name].null_count < len(classes)]
        empty = [name for name in known if classes[name].null_count]
        if empty:
            raise ValueError(f"a class has no {empty[0]}")
    return classes


def expect_class_count(classes: pa.Table, count: int) -> None:
    """Raise `PrepError` where the devkit has another number of classes than the work was cut for."""
    if len(classes) != count:
        raise PrepError(
            "the devkit",
            f"it has {len(classes)} classes, not {count}",
            "Use the devkit of ILSVRC2012 (tasks 1 and 2); for a part of the classes name them under the key classes",
        )


def numbered_wnids(
    synsets: pa.Table, wnids: Sequence[str] | None, subset_labels: Literal["original", "renumbered"]
) -> list[str]:
    """The WNIDs that the indices stand for, by index: all of them where a subset keeps the numbers of the whole set."""
    named = select_classes(synsets, wnids if subset_labels == "renumbered" else None, subset_labels)
    return [str(wnid) for wnid in named["wnid"].to_pylist()]


def validation_labels(ground_truth: npt.NDArray[np.int32], synsets: pa.Table, classes: pa.Table) -> pa.Table:
    """The validation images of the selected classes with their labels, schema VALIDATION_LABELS, in image order.

    Args:
        ground_truth: the class's ILSVRC2012_ID of each validation image, shape (number of images,).
        synsets: the devkit's, schema SYNSETS.
        classes: the selected ones, schema CLASSES.
    """
    import pyarrow.compute as pc  # 40 ms, and jobs that only write records have no need of it

    index_of = np.full(synsets.num_rows + 1, -1, dtype=np.int32)
    positions = pc.index_in(classes["wnid"], value_set=synsets["wnid"].combine_chunks()).to_numpy()
    index_of[positions + 1] = classes["class_index"].to_numpy()  # IDs start with 1
    index = index_of[ground_truth]
    images = np.flatnonzero(index >= 0)
    ids = ground_truth[images]
    filenames = [validation_filename(image + 1) for image in images.tolist()]
    shown = pa.array(ids) if has_ids(synsets) else pa.nulls(len(ids), pa.int32())
    return pa.table([filenames, shown, validation_wnids(ids, synsets), index[images]], schema=VALIDATION_LABELS)


def validation_wnids(ids: npt.NDArray[np.int32], synsets: pa.Table) -> list[str]:
    """The WNIDs of classes that the ground truth names by their ILSVRC2012_ID, shape (n,).

    `synsets` are the devkit's, schema SYNSETS: ordered by ID.
    """
    wnids = np.array(["", *synsets["wnid"].to_pylist()])  # IDs start with 1
    return [str(wnid) for wnid in wnids[ids]]


def validation_filename(number: int) -> str:
    """The name of the validation image of this number, counted from 1."""
    return f"ILSVRC2012_val_{number:08}.JPEG"


def image_number(filename: str) -> int:
    """The number of a validation image, from 1."""
    return int(filename.rpartition("_")[2].partition(".")[0])


def hierarchy(synsets: pa.Table, classes: pa.Table) -> dict[str, Any] | None:
    """The synsets as one nested tree, `{wnid, words, class_index, children}` from the root.

    Synsets that are no class in use have None for an index.

    WordNet is no tree: a synset can have several parents (75 of the 1860 do, 38 of them classes). Such a synset stands
    below each of them, with all that is below it, so that every path from the root to a class is there. Branches
    without a selected class are left out. Children are in the devkit's order. Without a devkit there is no tree: None.
    """
    if not has_ids(synsets):
        return None
    rows = synsets.to_pylist()
    index = dict(zip(classes["ilsvrc2012_id"].to_pylist(), classes["class_index"].to_pylist(), strict=True))
    tree = _subtree(root(rows), {row["ilsvrc2012_id"]: row for row in rows}, index)
    assert tree is not None  # there is at least one class, and every class is below the root
    return tree


def root(synsets: Iterable[Mapping[str, Any]]) -> int:
    """The ILSVRC2012_ID of the synset that all others are below; `synsets` are the rows of all of them."""
    parents: dict[int, list[int]] = {row["ilsvrc2012_id"]: row["children"] for row in synsets}
    below = {child for children in parents.values() for child in children}
    return next(synset for synset in parents if synset not in below)


def _subtree(synset: int, rows: dict[int, dict[str, Any]], index: dict[int, int]) -> dict[str, Any] | None:
    row = rows[synset]
    below = [_subtree(child, rows, index) for child in row["children"]]
    children = [child for child in below if child is not None]
    if synset not in index and not children:
        return None
    return {"wnid": row["wnid"], "words": row["words"], "class_index": index.get(synset), "children": children}


def _check_subset(wnids: Sequence[str], leaves: dict[str, Any], synsets: set[str]) -> None:
    if not wnids:
        raise PrepError(_KEY, "the list of classes is empty", "Name at least one WNID, or set it to null for all")
    remedy = "Take WNIDs of classes, each once, from labels/classes.csv of a run with `classes: null`"
    internal = [wnid for wnid in wnids if wnid in synsets and wnid not in leaves]
    unknown = [wnid for wnid in wnids if wnid not in synsets]
    doubled = sorted({wnid for wnid in wnids if wnids.count(wnid) > 1})
    if unknown:
        raise PrepError(_KEY, f"the devkit knows no {_listed(unknown)}", remedy)
    if internal:
        raise PrepError(_KEY, f"no class, but an internal synset with classes below it: {_listed(internal)}", remedy)
    if doubled:
        raise PrepError(_KEY, f"listed more than once: {_listed(doubled)}", remedy)


def _listed(wnids: Sequence[str]) -> str:
    shown = ", ".join(wnids[:5])
    return f"{shown} and {len(wnids) - 5} more" if len(wnids) > 5 else shown
