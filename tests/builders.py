"""Small archives, images and tables that tests of several modules make."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from imagenet_prep.errors import PrepError

FOX, CRANE, MACHINE = "n02119789", "n02012849", "n03126707"


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


def files_below(folder: Path) -> set[str]:
    """Every file and empty folder below a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() or not any(path.iterdir())
    }


def drained(iterator: Iterator[Any]) -> None:
    """Run an iterator to its end."""
    for _ in iterator:
        pass


def is_one_line(error: PrepError) -> bool:
    """Whether the message is a line that a terminal shows as one."""
    return str(error).isprintable()
