"""PASCAL VOC annotations: what is read from them, and what is refused."""

from __future__ import annotations

import codecs
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagenet_prep.errors import PrepError
from imagenet_prep.formats import voc

SIZE = "<size><width>500</width><height>375</height><depth>3</depth></size>"


def bndbox(xmin: Any = 1, ymin: Any = 2, xmax: Any = 30, ymax: Any = 40) -> str:
    return f"<bndbox><xmin>{xmin}</xmin><ymin>{ymin}</ymin><xmax>{xmax}</xmax><ymax>{ymax}</ymax></bndbox>"


def thing(name: str = "n02119789", box: str | None = None, more: str = "") -> str:
    return f"<object><name>{name}</name>{more}{bndbox() if box is None else box}</object>"


def annotation(*objects: str, size: str = SIZE, head: str = "<folder>val</folder><filename>a</filename>") -> bytes:
    return f"<annotation>{head}{size}{''.join(objects)}</annotation>".encode()


def parse(xml: bytes) -> voc.Annotation:
    return voc.parse(xml, "boxes.tar.gz", "n1/n1_1.xml")


def fails(xml: bytes) -> str:
    with pytest.raises(PrepError) as caught:
        parse(xml)
    assert (caught.value.place, caught.value.member) == ("boxes.tar.gz", "n1/n1_1.xml")
    assert "\n" not in str(caught.value)
    return caught.value.problem


def test_an_annotation_is_read_whole() -> None:
    xml = b"""<?xml version="1.0"?>
<annotation verified="no">
\t<folder>n02115913</folder>
\t<filename>n02115913_10</filename>
\t<source><database>ILSVRC_2012</database></source>
\t<size>
\t\t<width>500</width>
\t\t<height>375</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
\t<object>
\t\t<name>n02115913</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>1</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>11</xmin>
\t\t\t<ymin>22</ymin>
\t\t\t<xmax>333</xmax>
\t\t\t<ymax>344</ymax>
\t\t</bndbox>
\t</object>
</annotation>
"""
    dog = voc.VocObject("n02115913", 11, 22, 333, 344, "Unspecified", 1, 0)
    assert parse(xml) == voc.Annotation("n02115913", "n02115913_10", 500, 375, (dog,))


def test_what_is_optional_may_be_missing_or_empty() -> None:
    fox = voc.VocObject("n02119789", 1, 2, 30, 40, None, None, None)
    assert parse(annotation(thing(), head="")) == voc.Annotation(None, None, 500, 375, (fox,))
    empty = thing(more="<pose/><truncated></truncated><difficult> </difficult>")
    assert parse(annotation(empty, head="<folder/><filename/>")) == voc.Annotation(None, None, 500, 375, (fox,))


def test_an_image_may_have_no_object_or_several_in_their_order() -> None:
    assert parse(annotation()).objects == ()
    assert [it.name for it in parse(annotation(thing("b"), thing("a"), thing("b"))).objects] == ["b", "a", "b"]


def test_the_order_of_elements_does_not_matter() -> None:
    (fox,) = parse(f"<annotation><object>{bndbox()}<name>fox</name></object>{SIZE}</annotation>".encode()).objects
    assert fox.name == "fox"


def test_coordinates_stay_as_written() -> None:
    (box,) = parse(annotation(thing(box=bndbox(-3, "4.5", "1e2", " 7\n")))).objects
    assert (box.xmin, box.ymin, box.xmax, box.ymax) == (-3, 4.5, 100.0, 7)
    assert [type(value) for value in (box.xmin, box.ymin)] == [int, float]


def test_the_parts_of_an_object_are_no_objects() -> None:
    part = f"<part><name>head</name>{bndbox(9, 9, 9, 9)}</part>"
    (box,) = parse(annotation(thing(more=part))).objects
    assert (box.name, box.xmin) == ("n02119789", 1)


def test_flags_that_are_no_integers_are_unknown() -> None:
    (box,) = parse(annotation(thing(more="<truncated>maybe</truncated><difficult>9999999999</difficult>"))).objects
    assert (box.truncated, box.difficult) == (None, None)


def test_character_references_and_encodings_are_decoded() -> None:
    (box,) = parse(annotation(thing("&#65; &amp; <![CDATA[<B>]]>"))).objects
    assert box.name == "A & <B>"
    xml = '<?xml version="1.0" encoding="%s"?>' + annotation(thing("caf\xe9")).decode()
    for encoding in ("utf-8", "iso-8859-1", "cp1252"):
        assert parse((xml % encoding).encode(encoding)).objects[0].name == "caf\xe9"
    utf16 = codecs.BOM_UTF16_LE + (xml % "utf-16").encode("utf-16-le")
    assert parse(utf16).objects[0].name == "caf\xe9"


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)


@given(st.lists(st.tuples(TEXT, *[st.integers(-10000, 10000) | st.floats(-1e6, 1e6)] * 4)))
def test_what_elementtree_reads_is_read(boxes: list[tuple[Any, ...]]) -> None:
    xml = annotation(*(thing(escape(name), bndbox(*map(repr, edges))) for name, *edges in boxes))
    judge = [
        (it.findtext("name"), *(float(edge.text or "") for edge in it.findall("bndbox/*")))
        for it in ElementTree.fromstring(xml).iter("object")
    ]
    assert [(it.name, it.xmin, it.ymin, it.xmax, it.ymax) for it in parse(xml).objects] == judge


@pytest.mark.parametrize(
    ("xml", "line"),
    [
        (b"", 1),
        (b"not xml", 1),
        (annotation(thing())[:-5], 1),
        (b"<annotation>\n<folder>\n</annotation>", 3),
        (annotation() + b"\n\n<annotation/>", 3),
        (b"<annotation>&nbsp;</annotation>", 1),
        (b"<annotation>\0</annotation>", 1),
        (b"<annotation>\n\xff</annotation>", 2),
        (b"<annotation a='1' a='2'/>", 1),
    ],
)
def test_malformed_xml_is_an_error_that_names_the_line(xml: bytes, line: int) -> None:
    assert f"malformed in line {line}" in fails(xml)


@pytest.mark.parametrize(
    "declaration",
    [
        b"<!DOCTYPE annotation>",
        b'<!DOCTYPE annotation SYSTEM "http://example.invalid/voc.dtd">',
        b'<!DOCTYPE annotation [<!ENTITY a "b">]>',
        b'<!DOCTYPE annotation [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        b'<!DOCTYPE annotation [<!ENTITY % a SYSTEM "file:///etc/passwd"> %a;]>',
        b'<!DOCTYPE a [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>',
    ],
)
def test_a_document_type_or_entities_are_refused(declaration: bytes) -> None:
    assert fails(b"\n" + declaration + annotation(thing("&a;"))).startswith("line 2 of the XML: it declares a document")


@pytest.mark.parametrize("encoding", ["klingon", "rot13", "utf-7", "big5"])
def test_an_encoding_that_cannot_be_is_an_error(encoding: str) -> None:
    assert "encoding" in fails(f'<?xml version="1.0" encoding="{encoding}"?>'.encode() + annotation())


@pytest.mark.parametrize(
    ("xml", "problem"),
    [
        (annotation(size=""), "there is no width"),
        (annotation(size="<size><width>5</width></size>"), "there is no height"),
        (annotation(size="<size><width>0</width><height>5</height></size>"), "width is '0', not a positive"),
        (annotation(size="<size><width>5</width><height>-5</height></size>"), "height is '-5', not a positive"),
        (annotation(size="<size><width>5.5</width><height>5</height></size>"), "width is '5.5', not a positive"),
        (annotation(size="<size><width>nan</width><height>5</height></size>"), "width is 'nan', not a positive"),
        (annotation(size="<size><width></width><height>5</height></size>"), "width is '', not a positive"),
        (annotation(size=f"<size><width>{2**31}</width><height>5</height></size>"), "not a positive"),
        (annotation(f"<object>{bndbox()}</object>"), "an object has no name"),
        (annotation(thing(" ")), "an object has no name"),
        (annotation(thing(box="")), "an object has no xmin"),
        (annotation(thing(box="<bndbox><xmin>1</xmin></bndbox>")), "an object has no ymin"),
        (annotation(thing(box=bndbox(xmax="wide"))), "xmax is 'wide', not a finite number"),
        (annotation(thing(box=bndbox(ymax="nan"))), "ymax is 'nan', not a finite number"),
        (annotation(thing(box=bndbox(ymax="-inf"))), "ymax is '-inf', not a finite number"),
        (annotation(thing(box=bndbox(ymax="1e999"))), "ymax is '1e999', not a finite number"),
        (annotation(thing(box=bndbox(ymax="1_0"))), "ymax is '1_0', not a finite number"),
        (annotation(thing(box=bndbox(ymax="\N{FULLWIDTH DIGIT TWO}"))), "not a finite number"),
        (annotation(thing(box=bndbox(ymax="9" * 900000 + "x"))), "holds 900001 characters"),
        (annotation(thing(box=bndbox() + bndbox())), "<xmin> is there twice"),
        (annotation(size=SIZE + SIZE), "<width> is there twice"),
        (annotation(thing(box=bndbox(xmin="1<b/>"))), "<b> stands where a value should"),
        (b"<html><body/></html>", "its root is <html>"),
        (annotation("<a>" * 1000 + "</a>" * 1000), "nested too deep"),
        (annotation("<" + "a" * 1000 + "/>"), "name is too long"),
        (annotation(head=" " * (1 << 20)), "more than the 1048576"),
    ],
)
def test_what_makes_no_sense_is_an_error_that_says_so(xml: bytes, problem: str) -> None:
    assert problem in fails(xml)


def test_an_error_names_the_line_of_its_object() -> None:
    assert fails(annotation("\n" + thing(), "\n" + thing(box=bndbox(xmin="?")))).startswith("line 3 of the XML: xmin")


USUAL_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="<&>"), max_size=12)
USUAL_PIXEL = st.integers(-(10**9) + 1, 10**9 - 1)
USUAL_OBJECT = st.tuples(USUAL_TEXT, USUAL_TEXT, st.integers(0, 3), *[USUAL_PIXEL] * 4)


@given(USUAL_TEXT, st.integers(0, 10**9), st.lists(USUAL_OBJECT, max_size=3), st.sampled_from(["", "\n\t", " \r\n"]))
def test_the_usual_layout_is_read_as_any_other(filename: str, width: int, objects: list[Any], space: str) -> None:
    head = f"<folder>val</folder>{space}<filename>{filename}</filename><source><database>D</database></source>"
    size = f"<size><width>{width}</width><height>375</height><depth>3</depth></size>{space}<segmented>0</segmented>"
    things = [
        thing(
            name,
            bndbox(*edges),
            f"{space}<pose>{pose}</pose><truncated>{flag}</truncated><difficult>{flag}</difficult>",
        )
        for name, pose, flag, *edges in objects
    ]
    usual = annotation(*things, size=size, head=head)
    otherwise = b"<!-- a comment, which the usual files do not have -->" + usual
    try:
        expected = parse(otherwise)
    except PrepError:
        fails(usual)
    else:
        assert parse(usual) == expected


@pytest.mark.parametrize("extra", ["", "<!-- another layout -->"])
def test_a_value_of_many_characters_is_refused(extra: str) -> None:
    def named(n: int) -> bytes:
        head = "<folder>val</folder><filename>a</filename><source><database>d</database></source>"
        return annotation(thing("n" * n), head=head + extra)

    assert parse(named(500)).objects[0].name == "n" * 500
    assert "<name> holds 501 characters" in fails(named(501))
