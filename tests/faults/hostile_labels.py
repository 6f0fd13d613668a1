"""Files that say what is on images, as an enemy would make them: boxes, labels of people, devkits and predictions.

Strategies of hypothesis, which make as many as one likes.
"""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
from hypothesis import strategies as st

from builders import CRANE, FOX
from faults.matfile import META, TRUTH, meta_mat
from faults.mutation import mutated

# Annotations

XML = b"""<annotation><folder>val</folder><filename>ILSVRC2012_val_00000001</filename>
<source><database>d</database></source><size><width>500</width><height>375</height><depth>3</depth></size><segmented>0</segmented><object><name>n01751748</name>
<pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax>
<ymax>4</ymax></bndbox></object></annotation>"""
_TAGS = ["annotation", "folder", "filename", "size", "width", "height", "object", "name", "bndbox", "xmin", "xmax", "x"]
_TEXTS = st.sampled_from(
    [
        "",
        "0",
        "-1",
        "1e308",
        "-1e999",
        "nan",
        "inf",
        "1_0",
        "\u0661",
        "9" * 400,
        "1." + "0" * 300,
        "%s",
        "&#0;",
        "&x;",
        "]]>",
        "x" * 300,
    ]
) | st.text(max_size=5)


def _element(tag: str, inner: str) -> str:
    return f"<{tag}>{inner}</{tag}>"


_ELEMENTS = st.recursive(
    _TEXTS,
    lambda inner: st.lists(st.builds(_element, st.sampled_from(_TAGS), inner), max_size=5).map("".join),
    max_leaves=12,
)


@st.composite
def xml_files(draw: st.DrawFn) -> bytes:
    """The XML with values exchanged, or elements of the same names in any order."""
    if draw(st.booleans()):
        return draw(mutated([XML]))
    if draw(st.booleans()):
        return _element("annotation", draw(_ELEMENTS)).encode("utf-8", "surrogatepass")
    xml = XML.decode()
    for old in draw(
        st.lists(
            st.sampled_from([">500<", ">375<", ">n01751748<", ">1<", ">4<", ">Unspecified<", "ILSVRC2012_val_00000001"])
        )
    ):
        new = draw(_TEXTS)
        xml = xml.replace(old, f">{new}<" if old.startswith(">") else new)
    return xml.encode("utf-8", "surrogatepass")


# JSON

_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from([CRANE, FOX, "v1", "correct"])
)
_KEYS = st.sampled_from(
    ["initial_annots", "problematic_images", "imagenet_m", "v1", "v2", "correct", "wrong", "unclear", ""]
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=15
)
MULTILABEL = json.dumps(
    {"initial_annots": {"v1": {"correct": [FOX]}}, "problematic_images": {"v2": 1}, "imagenet_m": ["v1"]}
).encode()
DOCUMENTS = _VALUES.map(lambda value: json.dumps(value).encode()) | st.builds(
    lambda a, p, m: json.dumps({"initial_annots": a, "problematic_images": p, "imagenet_m": m}).encode(),
    _VALUES,
    _VALUES,
    _VALUES,
)
MULTILABELS = DOCUMENTS | mutated([MULTILABEL])
REAL_LABELS = DOCUMENTS | mutated([b"[[1], [0, 2], []]"])


# meta.mat

# Damaged as files are: what is forged behind a right checksum of the compression is not promised to be told.
KITS = st.builds(
    lambda meta, truth: {META: meta, TRUTH: truth},
    mutated([meta_mat(), b"", b"MATLAB 7.3 MAT-file" + bytes(600)], 3),
    st.just(b"1\n2\n2\n") | mutated([b"1\n2\n2\n"]),
)


# Predictions


def _saved(array: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


PREDICTIONS = mutated(
    [
        b"filename,top1,top2\nv1,0,1\nv2,1,2\n",
        b'filename,top1\nv1,0\nv2,"1"\n',
        b"filename,top1\nv1,1e300\nv2,\n",
        b'path;pred\na/v1.JPEG;"[0, 1]"\na/v2.JPEG;[1 2]\n',
        b"v1\tn02119789\nv2\tn02012849\n",
    ]
)
ARRAYS = mutated([_saved(np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]])), _saved(np.array([[0, 1], [2, 0]]))])
PREDICTED = mutated([b'{"v1": [0, 1], "v2": [1, 2]}', b'[{"filename": "v1", "top1": 1}, {"top1": 0}]'])
