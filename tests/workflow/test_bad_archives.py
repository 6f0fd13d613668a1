"""What a run makes of archives that are damaged or not what they should be."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
import scipy.io

from builders import header, image, is_one_line, tar
from damage import (
    LOGIN_PAGE,
    Damage,
    digests,
    entry,
    expect_clear_failure,
    half,
    last_errors,
    path_of,
    replaced_by,
    with_another_wnid,
    with_entry,
    with_first,
    with_first_twice,
    with_member,
    without_end_mark,
    without_member,
)
from imagenet_prep.datasets.box_annotations import write_boxes
from imagenet_prep.datasets.classes import select_classes, validation_labels
from imagenet_prep.datasets.devkit import Devkit, read_devkit
from imagenet_prep.datasets.human_accuracy import read_multilabel
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.archive_check import Expected, verify
from imagenet_prep.engine.images import label_images, write_images
from imagenet_prep.engine.scan import scan
from imagenet_prep.errors import PrepError
from project import Project

META, TRUTH = "data/meta.mat", "data/ILSVRC2012_validation_ground_truth.txt"
ENTITY = b'<!DOCTYPE annotation [<!ENTITY lol "lol">]><annotation><filename>&lol;</filename></annotation>'
EXTERNAL = b'<!DOCTYPE annotation SYSTEM "file:///etc/passwd"><annotation/>'
ANOTHER_MAT = io.BytesIO()
scipy.io.savemat(ANOTHER_MAT, {"answers": [1, 2, 3]}, do_compression=True)


class Case(NamedTuple):
    """Something wrong in an archive, the target that meets it, the rule that fails, and words of its message."""

    archive: str
    damage: Damage
    target: str
    stage: str
    words: tuple[str, ...]


scanned = partial(Case, target="verify", stage="scan_archive")
in_val, in_train = partial(scanned, "val"), partial(scanned, "train")
in_devkit = partial(Case, "devkit", target="labels", stage="parse_devkit")
in_boxes = partial(Case, "bbox_val", target="bboxes", stage="parse_boxes")
in_multilabel = partial(Case, "multilabel", target="multilabel", stage="tabulate_multilabel")
verified = partial(Case, target="verify", stage="verify_archive")

# No checksum is configured for them: somebody has made them, and cannot get them again.
CUT_OFF = ("cut off", "make it or copy it again")
DAMAGED = ("make it again (docs/archives.md says how)", "byte")
OF_LINKS = ("make it again of the files that they lead to", "byte")
VAL = "ILSVRC2012_val_00000099.JPEG"
PHOTO = image(1)


def of_every_image(damage: Damage, *words: str) -> dict[str, Case]:
    """One image damaged, once in the archive of validation images and once in a class of the training images."""
    return {
        "val": in_val(damage=with_first(damage), words=(*words, "ILSVRC2012_val_00000001.JPEG", *DAMAGED)),
        "train": in_train(damage=with_first(with_first(damage)), words=(*words, ".tar/n", ".JPEG", *DAMAGED)),
    }


CASES = {
    "val cut off in an image": in_val(damage=half, words=CUT_OFF),
    "val without its end mark": in_val(damage=without_end_mark, words=CUT_OFF),
    "train cut off": in_train(damage=half, words=CUT_OFF),
    "train with a class cut off": in_train(damage=with_first(half), words=("n02012849.tar", *CUT_OFF)),
    "devkit cut off": verified("devkit", damage=half, words=CUT_OFF),
    "boxes cut off": verified("bbox_train", damage=half, words=CUT_OFF),
    "JSON cut off": in_multilabel(damage=half, words=("cut off", "again")),
    "val empty": in_val(damage=replaced_by(b""), words=("empty (0 bytes)", "put a tar in its place")),
    **{
        f"{archive} a web page": Case(archive, replaced_by(LOGIN_PAGE), "verify", stage, ("web page", "not a tar"))
        for archive, stage in {
            "val": "scan_archive",
            "train": "scan_archive",
            "devkit": "verify_archive",
            "bbox_val": "verify_archive",
        }.items()
    },
    "JSON a web page": in_multilabel(damage=replaced_by(LOGIN_PAGE), words=("malformed", "byte 0", "again")),
    **{
        f"val with {what}": in_val(damage=with_entry(raw), words=(name, problem, *remedy))
        for what, name, raw, problem, remedy in (
            ("a name that leads out", f"../{VAL}", entry(f"../{VAL}", PHOTO), "leads out of the folder", DAMAGED),
            ("an absolute name", f"/tmp/{VAL}", entry(f"/tmp/{VAL}", PHOTO), "absolute", DAMAGED),
            ("a hard link", VAL, entry(VAL, kind=b"1", link=b"/etc/passwd"), "hard link", OF_LINKS),
            ("a symbolic link", VAL, entry(VAL, kind=b"2", link=b"/etc/passwd"), "symbolic link", OF_LINKS),
            ("a device", VAL, header(VAL, kind=b"3"), "device", DAMAGED),
        )
    },
    "val with a member twice": in_val(damage=with_first_twice, words=("twice", *DAMAGED)),
    "train with a class twice": in_train(damage=with_first_twice, words=("twice", *DAMAGED)),
    "train with an image twice": in_train(damage=with_first(with_first_twice), words=("twice", ".tar/n", *DAMAGED)),
    "train with a name that leads out": in_train(
        damage=with_first(with_entry(entry("../x.JPEG", PHOTO))), words=("../x.JPEG", "leads out", *DAMAGED)
    ),
    "train with another archive": in_train(
        damage=with_entry(entry("fox.tar")), words=("fox.tar", "no class archive", *DAMAGED)
    ),
    "train with a class that is none": Case(
        "train",
        with_another_wnid("n09999999"),
        "imagefolder_train",
        "label_images",
        ("n09999999", "none of the devkit's", "get both from the same place", "byte"),
    ),
    "devkit with a symbolic link": verified(
        "devkit", damage=with_entry(entry("data/x", kind=b"2", link=b"y")), words=("data/x", *OF_LINKS)
    ),
    "boxes with an absolute name": verified(
        "bbox_val", damage=with_entry(entry("/tmp/x.xml")), words=("/tmp/x.xml", *DAMAGED)
    ),
    **{f"{a} with an empty image": c for a, c in of_every_image(replaced_by(b""), "empty").items()},
    **{f"{a} with no image": c for a, c in of_every_image(replaced_by(LOGIN_PAGE), "no image").items()},
    **{f"{a} with an image cut off": c for a, c in of_every_image(half, "cut off").items()},
    "no ground truth": in_devkit(damage=without_member(TRUTH), words=(TRUTH, "not the devkit", "again")),
    "no meta.mat": in_devkit(damage=without_member(META), words=(META, "not the devkit", "again")),
    "meta.mat that is text": in_devkit(
        damage=with_member(META, replaced_by(b"synsets")), words=(META, "MATLAB", "again")
    ),
    "meta.mat without synsets": in_devkit(
        damage=with_member(META, replaced_by(ANOTHER_MAT.getvalue())), words=(META, "synsets", "again")
    ),
    **{
        f"ground truth with {line.decode()} in it": in_devkit(
            damage=with_member(TRUTH, lambda truth, line=line: line + b"\n" + truth),  # type: ignore[misc]
            words=(TRUTH, "line 1", line.decode(), "1 to 6", "again"),
        )
        for line in (b"0", b"7", b"fox")
    },
    "XML malformed": in_boxes(
        damage=with_first(replaced_by(b"<annotation>")), words=(".xml", "malformed", "line 1", "take this member out")
    ),
    "XML with an entity": in_boxes(damage=with_first(replaced_by(ENTITY)), words=(".xml", "entities", "take")),
    "XML with an external entity": in_boxes(damage=with_first(replaced_by(EXTERNAL)), words=(".xml", "entit", "take")),
    "XML without size": in_boxes(
        damage=with_first(lambda xml: xml.replace(b"size>", b"sizes>")), words=(".xml", "width", "take this member out")
    ),
    "boxes without XML": in_boxes(
        damage=replaced_by(tar({"readme.txt": b"boxes"})), words=("there is no XML", "Compare the archive's checksum")
    ),
    "JSON that is a list": in_multilabel(damage=replaced_by(b"[]"), words=("an array stands where", "again")),
    "JSON with another list": in_multilabel(
        damage=replaced_by(b'{"initial_annots": []}'), words=("another shape", "initial_annots", "again")
    ),
    "JSON without its keys": in_multilabel(damage=replaced_by(b"{}"), words=("it has no initial_annots", "again")),
}


def meet(case: Case, archive: Path, devkit: Devkit, folder: Path) -> None:
    """Do with an archive what the script of the case's rule does."""
    classes = select_classes(devkit.synsets, None, "original")
    wnids = classes["wnid"].to_pylist()
    validation = validation_labels(devkit.ground_truth, devkit.synsets, classes)
    expected, output = Expected("md5", None, None), folder / "output.parquet"
    match case.stage:
        case "verify_archive":
            verify(case.archive, archive, expected)
        case "scan_archive":
            scan(case.archive, archive, expected, output, ILSVRC2012)
        case "label_images":
            scan(case.archive, archive, expected, folder / "scan.parquet", ILSVRC2012)
            truth = devkit.synsets, devkit.ground_truth
            write_images(
                label_images(folder / "scan.parquet", ILSVRC2012.splits["train"], *truth, classes, archive), output
            )
        case "parse_devkit":
            read_devkit(archive)
        case "parse_boxes":
            write_boxes(archive, "validation", {}, wnids, output)
        case "tabulate_multilabel":
            read_multilabel(archive, validation, classes, wnids)
        case _:
            raise ValueError(case.stage)


@pytest.mark.parametrize("name", CASES)
def test_a_damaged_archive_is_refused_in_one_clear_line(finished: Project, name: str, tmp_path: Path) -> None:
    case, good = CASES[name], path_of(finished, CASES[name].archive)
    devkit = read_devkit(path_of(finished, "devkit"))
    archive = tmp_path / good.name
    archive.write_bytes(case.damage(good.read_bytes()))
    with pytest.raises(PrepError) as refused:
        meet(case, archive, devkit, tmp_path)
    assert is_one_line(refused.value)
    assert [word for word in (good.name, *case.words) if word not in str(refused.value)] == []
    assert not (tmp_path / "output.parquet").exists()


# Of each rule that reads archives, and of each archive, one; together where none is in the way of another.
RUNS = [
    ["val cut off in an image", "train cut off", "devkit cut off", "boxes cut off", "bbox_val a web page"],
    ["val with an image cut off", "train with a class that is none", "XML malformed", "JSON cut off"],
    ["train with an image twice", "ground truth with fox in it"],
]


@pytest.mark.parametrize("names", RUNS, ids=" + ".join)
def test_damaged_archives_end_the_run_in_a_clear_line_each(labelled: Project, names: list[str]) -> None:
    cases = [CASES[name] for name in names]
    for case in cases:
        archive = path_of(labelled, case.archive)
        archive.write_bytes(case.damage(archive.read_bytes()))
    labelled.configure({"use": sorted({"devkit", *(case.archive for case in cases)}), "products": ["labels"]})
    before = digests(labelled)
    run = labelled.run("--keep-going", *sorted({case.target for case in cases}))
    for case in cases:
        by = "report_archives" if case.target == "verify" else None
        expect_clear_failure(labelled, run, case.stage, case.archive, *case.words, by=by)
    assert len(last_errors(run)) == len(cases)
    assert digests(labelled) == before


def test_ground_truth_with_a_line_too_few_is_noticed_by_the_images(labelled: Project) -> None:
    devkit = path_of(labelled, "devkit")
    devkit.write_bytes(with_member(TRUTH, lambda truth: truth.split(b"\n", 1)[1])(devkit.read_bytes()))
    labelled.configure({"use": ["devkit", "val"], "products": ["labels"]})
    run = labelled.run("imagefolder_validation")
    words = ("18 validation images", "17 lines", "the same with the devkit")
    expect_clear_failure(labelled, run, "label_images", "val", *words)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("sha256", "0" * 64, "its sha256 is"),
        ("bytes", 1 << 40, "bytes where"),
    ],
)
def test_an_archive_not_as_configured_is_refused(labelled: Project, key: str, value: object, words: str) -> None:
    stages = {"val": "scan_archive", "real_labels": "verify_archive"}
    expected = {archive: {key: value} for archive in stages}
    labelled.configure({"use": ["devkit", *stages], "products": ["labels"], "archives": expected})
    before = digests(labelled)
    run = labelled.run("verify")
    for archive, stage in stages.items():
        said = (words, str(value), "in its place")
        expect_clear_failure(labelled, run, stage, archive, *said, by="report_archives")
    assert digests(labelled) == before


def test_a_damaged_archive_in_place_of_a_good_one_leaves_what_was_made_of_the_good_one(project: Project) -> None:
    products = {path: time for path, time in project.times().items() if path.startswith(("imagefolder", "tfrecord"))}
    archive = path_of(project, "train")
    archive.write_bytes(half(archive.read_bytes()))
    expect_clear_failure(project, project.run(), "scan_archive", "train", *CUT_OFF)
    assert products.items() <= project.times().items()
