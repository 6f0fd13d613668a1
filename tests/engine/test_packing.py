"""What is compressed becomes one plain tar, once."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import CRANE, FOX, image, is_one_line, tar, train_images, val_images
from engine.findings import TRAIN, VAL, put
from imagenet_prep.datasets.box_annotations import write_boxes
from imagenet_prep.datasets.dataset import BOX_SIDES
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine import packed
from imagenet_prep.engine.packing import pack
from imagenet_prep.errors import PrepError
from imagenet_prep.formats import zip_archive

HUB_VAL = {f"{name.removesuffix('.JPEG')}_{FOX}.JPEG": content for name, content in val_images().items()}
HUB_TRAIN = {name.replace(".JPEG", f"_{name[:9]}.JPEG"): content for name, content in train_images().items()}


def members(path: Path) -> dict[str, bytes]:
    """The members of a plain tar, as Python's tarfile reads them."""
    with tarfile.open(path, "r:") as archive:
        return {it.name: archive.extractfile(it).read() for it in archive}  # type: ignore[union-attr]


def kaggle_zip(path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in train_images().items():
            archive.writestr(f"ILSVRC/Data/CLS-LOC/train/{name[:9]}/{name}", content)
        for name, content in val_images().items():
            archive.writestr(f"ILSVRC/Data/CLS-LOC/val/{name}", content)
            archive.writestr(f"ILSVRC/Annotations/CLS-LOC/val/{name.removesuffix('.JPEG')}.xml", f"<{name}/>")
    return path


def pack_all(source: Path, name: str, output: Path) -> Path:
    return pack(name, packed.parts_of(source, name, ILSVRC2012), ILSVRC2012, output)


def test_one_compressed_tar_becomes_the_one_that_was_compressed(tmp_path: Path) -> None:
    content = tar(val_images(), tarfile.PAX_FORMAT)
    source = put(tmp_path / "val.tar.gz", gzip.compress(content))
    assert pack_all(source, "val", tmp_path / "packed" / VAL).read_bytes() == content


def test_several_compressed_tars_become_one_with_their_members(tmp_path: Path) -> None:
    names = list(HUB_TRAIN)
    for number in range(3):
        part = {name: HUB_TRAIN[name] for name in names[number::3]}
        put(tmp_path / "data" / f"train_images_{number}.tar.gz", gzip.compress(tar(part)))
    put(tmp_path / "data" / "val_images.tar.gz", gzip.compress(tar(HUB_VAL)))
    assert members(pack_all(tmp_path / "data", "train", tmp_path / TRAIN)) == HUB_TRAIN


def test_a_compressed_tar_a_class_becomes_one_with_all_images(tmp_path: Path) -> None:
    for wnid in (FOX, CRANE):
        of_class = {name: content for name, content in train_images().items() if name.startswith(wnid)}
        put(tmp_path / "train" / f"{wnid}.tar.gz", gzip.compress(tar(of_class)))
    found = members(pack_all(tmp_path / "train", "train", tmp_path / TRAIN))
    assert found == {name: content for name, content in train_images().items() if name.startswith((FOX, CRANE))}


def test_parquet_files_become_a_tar_of_their_images(tmp_path: Path) -> None:
    for number, names in enumerate((list(HUB_VAL)[:4], list(HUB_VAL)[4:])):
        rows = [{"image": {"bytes": HUB_VAL[name], "path": name}, "label": 0} for name in names]
        (tmp_path / "data").mkdir(exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data" / f"validation-{number:05d}-of-00002.parquet")
    assert members(pack_all(tmp_path / "data", "val", tmp_path / VAL)) == HUB_VAL


def test_of_a_zip_of_everything_the_members_of_an_archive_are_packed(tmp_path: Path) -> None:
    source = kaggle_zip(tmp_path / "kaggle.zip")
    for name, images in (("train", train_images()), ("val", val_images())):
        found = members(pack_all(source, name, tmp_path / f"{name}.tar"))
        assert {path.rpartition("/")[2]: content for path, content in found.items()} == images
    boxes = members(pack_all(source, "bbox_val", tmp_path / "boxes.tar"))
    assert {path.rpartition("/")[2] for path in boxes} == {it.replace("JPEG", "xml") for it in val_images()}


def test_of_a_compressed_tar_of_two_splits_each_is_packed_by_itself(tmp_path: Path) -> None:
    images = {f"train/{name[:9]}/{name}": content for name, content in train_images().items()}
    images |= {f"val/{name}": content for name, content in val_images().items()}
    source = put(tmp_path / "imagenet.tar.gz", gzip.compress(tar(images)))
    for name, wanted in (("train", train_images()), ("val", val_images())):
        found = members(pack_all(source, name, tmp_path / f"{name}.tar"))
        assert {path.rpartition("/")[2]: content for path, content in found.items()} == wanted


def test_a_zip_of_windows_with_backslashes_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "imagenet.zip", "w") as archive:
        for name, content in val_images().items():
            info = zipfile.ZipInfo("x")
            info.filename = f"val\\{name}"
            archive.writestr(info, content)
    names = [it.name for it in zip_archive.walk(tmp_path / "imagenet.zip")]
    assert names == [f"val/{name}" for name in val_images()]


def test_images_that_a_zip_has_as_they_are_need_no_packing(tmp_path: Path) -> None:
    assert packed.parts_of(kaggle_zip(tmp_path / "kaggle.zip", zipfile.ZIP_STORED), "val", ILSVRC2012) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from imagenet_prep.datasets.box_annotations import write_boxes
from imagenet_prep.datasets.dataset import BOX_SIDES
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine import packed, packing
left, write = int(sys.argv[3]), os.pwrite
def counting(*arguments):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return write(*arguments)
os.pwrite = counting
source = Path(sys.argv[1])
packing.pack("val", packed.parts_of(source, "val", ILSVRC2012), ILSVRC2012, Path(sys.argv[2]))
"""


@pytest.mark.parametrize("writes", [2, 9, 15])
def test_killed_it_goes_on_and_writes_nothing_twice(
    tmp_path: Path, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, output = kaggle_zip(tmp_path / "kaggle.zip"), tmp_path / "packed" / VAL
    whole = pack_all(source, "val", tmp_path / "whole.tar").read_bytes()
    command = [sys.executable, "-c", KILLED, source, output, str(writes)]
    done = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.returncode == -signal.SIGKILL
    assert not output.exists()
    there = output.with_name(f"{VAL}.part").stat().st_size
    written, pwrite = [], os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: written.append(at) or pwrite(file, data, at))
    assert pack_all(source, "val", output).read_bytes() == whole
    assert min(written) == there
    assert not output.with_name(f"{VAL}.part").exists()


def test_what_lies_half_packed_of_another_source_is_replaced(tmp_path: Path) -> None:
    put(tmp_path / "packed" / f"{VAL}.part", tar({"ILSVRC2012_val_00000001.JPEG": image(99)}) * 9)
    source = kaggle_zip(tmp_path / "kaggle.zip")
    found = members(pack_all(source, "val", tmp_path / "packed" / VAL))
    assert list(found.values()) == list(val_images().values())


def test_a_packed_archive_is_of_its_source_until_that_changes(tmp_path: Path) -> None:
    source = put(tmp_path / "val.tar.gz", gzip.compress(tar(val_images())))
    output = pack_all(source, "val", tmp_path / "packed" / VAL)
    assert packed.is_current(output)
    put(source, gzip.compress(tar(val_images(3))))
    assert not packed.is_current(output)
    source.unlink()
    assert packed.is_current(output), "a source that was taken away makes nothing stale"


@pytest.mark.parametrize("kind", ["gzip", "zip", "parquet"])
def test_a_source_that_is_cut_off_is_named_and_nothing_looks_finished(tmp_path: Path, kind: str) -> None:
    if kind == "gzip":
        source = put(tmp_path / "val.tar.gz", gzip.compress(tar(val_images())))
        parts = [source]
        put(source, source.read_bytes()[:-2000])
    elif kind == "zip":
        source = kaggle_zip(tmp_path / "kaggle.zip")
        parts = [source]
        with zipfile.ZipFile(source) as archive:
            at = archive.getinfo("ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_00000003.JPEG").header_offset + 120
        content = bytearray(source.read_bytes())
        content[at] ^= 1
        put(source, bytes(content))
    else:
        output = io.BytesIO()
        pq.write_table(pa.table({"other": [1]}), output)
        parts = [put(tmp_path / "validation-00000-of-00001.parquet", output.getvalue())]
    with pytest.raises(PrepError) as caught:
        pack("val", parts, ILSVRC2012, tmp_path / "packed" / VAL)
    assert caught.value.place == str(parts[0])
    assert is_one_line(caught.value)
    assert not (tmp_path / "packed" / VAL).exists()


def test_a_note_beside_it_says_what_was_packed(tmp_path: Path) -> None:
    source = kaggle_zip(tmp_path / "kaggle.zip")
    pack_all(source, "val", tmp_path / "packed" / VAL)
    note = json.loads((tmp_path / "packed" / f"{VAL}.json").read_text())
    assert [it["path"] for it in note] == [str(source)]


SOLUTION = """ImageId,PredictionString
ILSVRC2012_val_00000002,n02012849 3 4 20 9 n02012849 1 2 5 6
ILSVRC2012_val_00000001,n02119789 2 3 9 10
"""


def test_boxes_of_the_list_of_kaggle_are_those_of_the_xml_files(tmp_path: Path) -> None:
    for name, content in val_images().items():
        put(tmp_path / "ILSVRC" / "Data" / "CLS-LOC" / "val" / name, content)
    source = put(tmp_path / "LOC_val_solution.csv", SOLUTION.encode())
    output = pack_all(source, "bbox_val", tmp_path / "packed" / "boxes.tgz")
    wnids = {f"ILSVRC2012_val_{number:08d}.JPEG": wnid for number, wnid in ((1, FOX), (2, CRANE))}
    write_boxes(output, "validation", wnids, [FOX, CRANE], tmp_path / "boxes.parquet")
    rows = pq.read_table(tmp_path / "boxes.parquet").to_pylist()
    sides = [[row[f"{side}_px"] for side in BOX_SIDES] for row in rows]
    assert sides == [[2, 3, 9, 10], [3, 4, 20, 9], [1, 2, 5, 6]]
    assert {(row["width"], row["height"]) for row in rows} == {(24, 16)}
    assert [row["name"] for row in rows] == [FOX, CRANE, CRANE]
    assert all(row["usable"] for row in rows)


@pytest.mark.parametrize(
    "line", ["ILSVRC2012_val_00000001,n02119789 2 3 9", "ILSVRC2012_val_00000009,n02119789 2 3 9 9"]
)
def test_a_list_of_boxes_that_makes_no_sense_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "ILSVRC" / "Data" / "CLS-LOC" / "val").mkdir(parents=True)
    source = put(tmp_path / "LOC_val_solution.csv", f"ImageId,PredictionString\n{line}\n".encode())
    with pytest.raises(PrepError) as caught:
        pack_all(source, "bbox_val", tmp_path / "packed" / "boxes.tgz")
    assert line.partition(",")[0] in str(caught.value)
