"""Small archives, images and tables that tests of several modules make."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image

from imagenet_prep.datasets.classes import select_classes
from imagenet_prep.datasets.dataset import Labels
from imagenet_prep.datasets.devkit import SYNSETS
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.archive_check import Expected
from imagenet_prep.engine.images import label_images
from imagenet_prep.engine.scan import scan
from imagenet_prep.errors import PrepError

FOX, CRANE, MACHINE, ANIMAL = "n02119789", "n02012849", "n03126707", "n00015388"
# The IDs 1 … 3 of a devkit are the classes in this order, 4 is an internal synset; by WNID: CRANE 0, FOX 1, MACHINE 2.
WNIDS = (FOX, MACHINE, CRANE, ANIMAL)
TRUTH = np.array([1, 3, 2, 1, 1, 3], np.int32)


def image(seed: int = 0, size: tuple[int, int] = (24, 16), mode: str = "RGB", form: str = "JPEG", **how: Any) -> bytes:
    """An image file; other seeds make other bytes."""
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    output = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(output, form, **how)
    return output.getvalue()


def tar(members: Mapping[str, bytes] | Iterable[tuple[str, bytes]], form: int = tarfile.GNU_FORMAT) -> bytes:
    """A tar archive of regular files, as Python's tarfile writes it."""
    pairs = members.items() if isinstance(members, Mapping) else members
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=form) as archive:
        for name, content in pairs:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return output.getvalue()


def header(name: str | bytes, size: int | bytes = 0, kind: bytes = b"0", link: bytes = b"") -> bytes:
    """A tar header block with a right checksum, whatever it says; a size given as bytes is its raw field."""
    block = bytearray(512)
    raw = name.encode() if isinstance(name, str) else name
    block[: len(raw)] = raw
    block[100:108] = b"0000644\0"
    block[124:136] = size if isinstance(size, bytes) else b"%011o\0" % size
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[257:265] = b"ustar\x0000"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content: bytes) -> bytes:
    """The content as whole blocks."""
    return content + bytes(-len(content) % 512)


def train_images() -> dict[str, bytes]:
    """Image files of three classes by name, in an order that is not sorted."""
    names = [f"{wnid}_{number}.JPEG" for wnid in (MACHINE, FOX, CRANE) for number in (10, 9, 2)]
    return {name: image(seed, (20 + seed, 10)) for seed, name in enumerate(names)}


def train_tar(images: Mapping[str, bytes]) -> bytes:
    """The nested archive of training images: a tar a class, in the order in which the classes first come."""
    classes: dict[str, dict[str, bytes]] = {}
    for name, content in images.items():
        classes.setdefault(name.partition("_")[0], {})[name] = content
    return tar({f"{wnid}.tar": tar(members) for wnid, members in classes.items()})


def val_images(n: int = 6) -> dict[str, bytes]:
    """Validation images by name."""
    return {f"ILSVRC2012_val_{number:08d}.JPEG": image(number) for number in range(1, n + 1)}


def synsets() -> pa.Table:
    """A devkit of three classes below one synset."""
    rows = [
        {
            "ilsvrc2012_id": number,
            "wnid": wnid,
            "words": f"words of {wnid}",
            "gloss": "gloss",
            "num_children": 3 if wnid == ANIMAL else 0,
            "children": [1, 2, 3] if wnid == ANIMAL else [],
            "wordnet_height": 0,
            "num_train_images": 3,
        }
        for number, wnid in enumerate(WNIDS, 1)
    ]
    return pa.Table.from_pylist(rows, schema=SYNSETS)


def labelled(archives: Path, split: str, images: Mapping[str, bytes]) -> pa.Table:
    """The images of a split, in an archive made of them, as the products get them."""
    of = ILSVRC2012.splits[split]
    archive = archives / f"{of.archive}.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(train_tar(images) if of.labels is Labels.LAYOUT else tar(images))
    table = archives.parent / "scans" / f"{split}.parquet"
    scan(of.archive, archive, Expected(), table, ILSVRC2012)
    tables = label_images(table, of, synsets(), TRUTH, select_classes(synsets(), None, "original"), archive)
    return pa.concat_tables(tables)


def files_below(folder: Path) -> set[str]:
    """Every file and empty folder below a folder, hidden ones too."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() or not any(path.iterdir())}


def drained(iterator: Iterator[Any]) -> None:
    """Run an iterator to its end."""
    for _ in iterator:
        pass


def is_one_line(error: PrepError) -> bool:
    """Whether the message is a line that a terminal shows as one."""
    return str(error).isprintable()
