"""The development kit: the synsets of ILSVRC2012 and the ground truth of its validation images.

The format is the one that the kit's own `readme.txt` describes ("Synsets" and "Validation ground truth"): a MATLAB
structure array in `data/meta.mat`, and one synset ID a line in `data/ILSVRC2012_validation_ground_truth.txt`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from imagenet_prep.datasets.names import GIVEN_LABELS, MAPPING, SOLUTION
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import files, matlab, parquet

META = "data/meta.mat"
GROUND_TRUTH = "data/ILSVRC2012_validation_ground_truth.txt"

SYNSETS = pa.schema(
    [
        ("ilsvrc2012_id", pa.int32()),
        ("wnid", pa.string()),
        ("words", pa.string()),
        ("gloss", pa.string()),
        ("num_children", pa.int32()),
        ("children", pa.list_(pa.int32())),
        ("wordnet_height", pa.int32()),
        ("num_train_images", pa.int32()),
    ]
)
_GROUND_TRUTH = pa.schema([("ilsvrc2012_id", pa.int32())])

# The struct's fields in the order of SYNSETS.
_FIELDS = ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children", "children", "wordnet_height", "num_train_images")
_MEMBER_LIMIT = 16 << 20
_INT32_LIMIT = 1 << 31
# The real hierarchy is 19 synsets high and, written as a tree, has 2391 places; what is far beyond that is no devkit.
_HEIGHT_LIMIT = 100
_PLACES_LIMIT = 1_000_000
_WNID = re.compile(r"n\d{8}", re.ASCII)
_OTHER_KIT = "Get ILSVRC2012_devkit_t12.tar.gz again and compare its checksum"


@dataclass(frozen=True, slots=True)
class Devkit:
    """What the devkit says.

    Attributes:
        synsets: schema SYNSETS, ordered by ID; the IDs are 1 ... n, and the leaves (the classes) come first.
        ground_truth: int32 array of shape (number of validation images,): the ID of the class of each, in image order.
    """

    synsets: pa.Table
    ground_truth: npt.NDArray[np.int32]


def read_devkit(path: Path) -> Devkit:
    """Read synsets and ground truth from the devkit archive, or from the lists that came with images in its place.

    Raises:
        PrepError: the archive cannot be read, one of the two members is missing, is there twice or is not what it
            should be; names the archive and the member.
    """
    found: dict[str, tuple[str, bytes]] = {}
    given: dict[str, bytes] = {}
    for member, content in files.read_files(path, limit=_MEMBER_LIMIT):
        base = member.name.rpartition("/")[2]
        if base in (MAPPING, SOLUTION, GIVEN_LABELS):
            given[base] = content
        for wanted in (META, GROUND_TRUTH):
            if member.name == wanted or member.name.endswith("/" + wanted):
                if wanted in found:
                    problem = f"{wanted} is there twice, first as {found[wanted][0]!r}"
                    raise PrepError(path, problem, _OTHER_KIT, member=member.name)
                found[wanted] = (member.name, content)
    if given and not found:
        from imagenet_prep.datasets.given_labels import read_given

        return read_given(path, given)
    for wanted in (META, GROUND_TRUTH):
        if wanted not in found:
            raise PrepError(path, f"there is no {wanted} in it: it is not the devkit", _OTHER_KIT)
    synsets = _parse_meta(path, *found[META])
    n_classes = sum(n == 0 for n in synsets["num_children"].to_pylist())
    return Devkit(synsets, _parse_ground_truth(path, *found[GROUND_TRUTH], n_classes=n_classes))


def write_devkit(devkit: Devkit, synsets: Path, ground_truth: Path) -> None:
    """Write a devkit as two Parquet files, which `load_devkit` reads; the same devkit gives the same bytes."""
    parquet.write(devkit.synsets, synsets)
    parquet.write(pa.table([devkit.ground_truth], schema=_GROUND_TRUTH), ground_truth)


def load_devkit(synsets: Path, ground_truth: Path) -> Devkit:
    """Read what `write_devkit` wrote.

    Raises:
        PrepError: one of the files is damaged or of another kind.
    """
    ids = parquet.read(ground_truth, schema=_GROUND_TRUTH)["ilsvrc2012_id"].combine_chunks()
    return Devkit(parquet.read(synsets, schema=SYNSETS), ids.to_numpy())


def _parse_meta(path: Path, member: str, content: bytes) -> pa.Table:
    import scipy.io  # heavy, and nobody else needs it

    def wrong(problem: str) -> PrepError:
        return PrepError(path, problem, _OTHER_KIT, member=member)

    try:
        matlab.expect_whole(content)
        # The stubs of scipy forget open files, which its documentation allows.
        source: Any = io.BytesIO(content)
        variables = scipy.io.loadmat(source, squeeze_me=True, variable_names=["synsets"])
    except Exception as error:  # on broken bytes scipy raises whatever its parser trips over, of a dozen types
        detail = " ".join(str(error).split()) or type(error).__name__
        raise wrong(f"it cannot be read as a MATLAB file ({detail})") from error
    array = variables.get("synsets")
    if not isinstance(array, np.ndarray) or array.dtype.names is None or array.ndim > 1:
        raise wrong("it has no list of structures named `synsets`")
    missing = [field for field in _FIELDS if field not in array.dtype.names]
    if missing:
        raise wrong(f"its synsets have no field {', '.join(missing)}")
    rows = []
    for number, record in enumerate(np.atleast_1d(array), start=1):
        try:
            rows.append(_synset(record))
        except ValueError as error:
            raise wrong(f"synset number {number}: {error}") from None
    rows.sort(key=lambda row: row["ilsvrc2012_id"])
    problem = _inconsistency(rows)
    if problem is not None:
        raise wrong(problem)
    return pa.Table.from_pylist(rows, schema=SYNSETS)


def _synset(record: Any) -> dict[str, Any]:
    """One row of SYNSETS. Raises ValueError for a value that cannot be."""
    values = [record[field] for field in _FIELDS]
    row: dict[str, Any] = {
        "ilsvrc2012_id": _integer(values[0], "ILSVRC2012_ID"),
        "wnid": _text(values[1], "WNID"),
        "words": _text(values[2], "words"),
        "gloss": _text(values[3], "gloss"),
        "num_children": _integer(values[4], "num_children"),
        "children": [_integer(child, "children") for child in _list(values[5])],
        "wordnet_height": _integer(values[6], "wordnet_height"),
        "num_train_images": _integer(values[7], "num_train_images"),
    }
    if not _WNID.fullmatch(row["wnid"]):
        raise ValueError(f"WNID is {row['wnid']!r}, not n and eight digits")
    if not row["words"]:
        raise ValueError("words is empty")
    if len(row["children"]) != row["num_children"]:
        raise ValueError(f"num_children is {row['num_children']}, but children has {len(row['children'])}")
    return row


def _integer(value: Any, field: str) -> int:
    # MATLAB stores numbers as doubles unless told otherwise, so a whole float is an integer.
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if number and value == value // 1 and 0 <= value < _INT32_LIMIT:
        return int(value)
    raise ValueError(f"{field} holds {_shortened(value)}, not a natural number")


def _text(value: Any, field: str) -> str:
    if isinstance(value, np.ndarray) and value.size == 0:  # an empty string, squeezed
        return ""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{field} holds {_shortened(value)}, not a line of text")
    return str(value)


def _list(value: Any) -> Sequence[Any]:
    """`children` as squeezing leaves it: an empty array, a number, or an array."""
    if not isinstance(value, np.ndarray):
        return [value]
    if value.ndim > 1:
        raise ValueError(f"children has {value.ndim} dimensions")
    children: list[Any] = np.atleast_1d(value).tolist()
    return children


def _shortened(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _inconsistency(rows: list[dict[str, Any]]) -> str | None:
    """What keeps the rows, sorted by ID, from being a hierarchy with one root; None where nothing does."""
    n = len(rows)
    ids = [row["ilsvrc2012_id"] for row in rows]
    if not n or ids != list(range(1, n + 1)):
        return f"the ILSVRC2012_IDs of its {n} synsets are not 1 to {n}, each once"
    seen: set[str] = set()
    for row in rows:
        if row["wnid"] in seen:
            return f"the WNID {row['wnid']} is there twice"
        seen.add(row["wnid"])
        children = row["children"]
        if any(not 1 <= child <= n for child in children):
            return f"synset {row['wnid']} has a child that is no ILSVRC2012_ID of 1 to {n}"
        if len(set(children)) != len(children):
            return f"synset {row['wnid']} has a child twice"
    leaves = [row["ilsvrc2012_id"] for row in rows if not row["children"]]
    if not leaves:
        return "no synset is without children: there are no classes"
    if leaves[-1] != len(leaves):
        return f"the {len(leaves)} synsets without children (the classes) are not the ones with the first IDs"
    return _shape_problem(rows)


def _shape_problem(rows: list[dict[str, Any]]) -> str | None:
    """Cycles, several roots, and graphs so deep or so interwoven that written as a tree they would fill the memory."""
    n_parents = [0] * (len(rows) + 1)
    for row in rows:
        for child in row["children"]:
            n_parents[child] += 1
    ready = [row["ilsvrc2012_id"] for row in rows if n_parents[row["ilsvrc2012_id"]] == 0]
    if len(ready) > 1:
        roots = ", ".join(rows[i - 1]["wnid"] for i in ready[:3])
        return f"{len(ready)} synsets are nobody's child ({roots}{' and more' if len(ready) > 3 else ''}), not one root"
    order = []
    while ready:
        parent = ready.pop()
        order.append(parent)
        for child in rows[parent - 1]["children"]:
            n_parents[child] -= 1
            if n_parents[child] == 0:
                ready.append(child)
    if len(order) < len(rows):
        knot = min(set(range(1, len(rows) + 1)).difference(order))
        return f"its hierarchy runs in a circle, at or above synset {rows[knot - 1]['wnid']}"
    height = [1] * (len(rows) + 1)
    places = [1] * (len(rows) + 1)
    for parent in reversed(order):
        children = rows[parent - 1]["children"]
        height[parent] += max((height[child] for child in children), default=0)
        places[parent] += sum(places[child] for child in children)
    if height[order[0]] > _HEIGHT_LIMIT or places[order[0]] > _PLACES_LIMIT:
        return f"its hierarchy is {height[order[0]]} synsets high or has too many paths: it is not ImageNet's"
    return None


def _parse_ground_truth(path: Path, member: str, content: bytes, *, n_classes: int) -> npt.NDArray[np.int32]:
    lines = content.split(b"\n")
    if lines[-1].strip() == b"":
        lines.pop()
    if not lines:
        raise PrepError(path, "it is empty", _OTHER_KIT, member=member)
    # int() would accept underscores and digits of other scripts, and pages of digits.
    valid = {str(i).encode(): i for i in range(1, n_classes + 1)}
    ids = np.empty(len(lines), dtype=np.int32)
    for number, line in enumerate(lines, start=1):
        synset = valid.get(line.strip())
        if synset is None:
            shown = line[:40].decode("ascii", "backslashreplace")
            problem = f"line {number} is {shown!r}, not a class's ILSVRC2012_ID (1 to {n_classes})"
            raise PrepError(path, problem, _OTHER_KIT, member=member)
        ids[number - 1] = synset
    return ids
