"""Archives with something wrong in them, made from good ones, and how a run that meets one has to end."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

from builders import header, padded, tar
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from project import Project, Run

# What an archive's file holds, and what it should hold instead.
Damage = Callable[[bytes], bytes]

LOGIN_PAGE = b"<!DOCTYPE html>\n<html><body><form>Please log in</form></body></html>\n"

# What each rule makes of an archive, below output_dir.
OUTPUTS = {
    "fetch_archive": ["archives/{file}"],
    "verify_archive": ["verified/{archive}.json"],
    "scan_archive": ["verified/{archive}.json"],
    "parse_devkit": ["state/devkit/*"],
    "write_labels": ["labels/*"],
    "label_images": ["state/images/*"],
    "parse_boxes": ["state/boxes/*", "tables/bboxes.parquet"],
    "tabulate_multilabel": ["tables/multilabel.parquet"],
    "plan_shards": ["state/plan/*", "tfrecord/*"],
    "write_imagefolder": ["imagefolder/*", "imagefolder/.*", "state/imagefolder/*"],
}


def replaced_by(content: bytes) -> Damage:
    """Something else in its place."""
    return lambda _: content


def half(content: bytes) -> bytes:
    """The first half."""
    return content[: len(content) // 2]


def without_end_mark(content: bytes) -> bytes:
    """A tar archive that stops behind its last member."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        last = archive.getmembers()[-1]
    return content[: last.offset_data + len(padded(bytes(last.size)))]


def entry(name: str, content: bytes = b"x", kind: bytes = b"0", link: bytes = b"") -> bytes:
    """One member as it lies in a tar archive, of any kind and name; only regular files have a content."""
    size = len(content) if kind == b"0" else 0
    return header(name, size, kind, link) + padded(content[:size])


def with_entry(raw: bytes) -> Damage:
    """An archive, compressed or not, with one more member in front."""
    return _keeping_compression(lambda content: raw + content)


def with_first_twice(content: bytes) -> bytes:
    """A tar archive in which the first member comes again."""
    name, data = next(iter(files(content).items()))
    return with_entry(entry(name, data))(content)


def with_first(change: Damage) -> Damage:
    """A tar archive whose first member, such as the tar of a class, is changed."""

    def damage(content: bytes) -> bytes:
        (name, first), *others = files(content).items()
        return tar([(name, change(first)), *others])

    return _keeping_compression(damage)


def with_member(end: str, change: Damage) -> Damage:
    """A tar archive in which the content of the first member whose name ends like this is changed."""

    def damage(content: bytes) -> bytes:
        members = files(content)
        name = next(name for name in members if name.endswith(end))
        return tar(members | {name: change(members[name])})

    return _keeping_compression(damage)


def without_member(end: str) -> Damage:
    """A tar archive without the members whose names end like this."""
    return _keeping_compression(
        lambda content: tar({name: data for name, data in files(content).items() if not name.endswith(end)})
    )


def with_another_wnid(wnid: str) -> Damage:
    """The archive of training images with its first class, tar and files, under another WNID."""

    def damage(content: bytes) -> bytes:
        (name, first), *others = files(content).items()
        old = name.removesuffix(".tar")
        images = {image.replace(old, wnid): data for image, data in files(first).items()}
        return tar([(f"{wnid}.tar", tar(images)), *others])

    return damage


def files(content: bytes) -> dict[str, bytes]:
    """The regular members of a tar archive by name."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        return {member.name: archive.extractfile(member).read() for member in members}  # type: ignore[union-attr]


def _keeping_compression(damage: Damage) -> Damage:
    return lambda content: (
        gzip.compress(damage(gzip.decompress(content))) if content[:2] == b"\x1f\x8b" else damage(content)
    )


def path_of(project: Project, archive: str) -> Path:
    """Where an archive lies."""
    return project.archives / ILSVRC2012.archives[archive].file


def digests(project: Project) -> dict[str, str]:
    """SHA-256 of everything in archives_dir by its name, hidden files too."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in project.archives.iterdir()}


def last_errors(run: Run) -> list[str]:
    """The causes with which a run ends."""
    lines = [line for line in run.terminal.splitlines() if line.strip()]
    return list(takewhile(lambda line: line.startswith("ERROR "), reversed(lines)))


def expect_clear_end(project: Project, run: Run, *words: str) -> str:
    """Of a failed run the last lines say what is wrong, one of them all the words, and nothing is half-made."""
    assert run.code != 0, run.terminal
    assert "Traceback" not in run.terminal, run.terminal
    said = [error for error in last_errors(run) if all(word in error for word in words)]
    assert said, (words, run.terminal)
    if project.results.is_dir():
        assert [path for path in project.results.rglob("*") if path.name.endswith("partial")] == []
    return said[0]


def expect_clear_failure(
    project: Project, run: Run, stage: str, archive: str, *words: str, by: str | None = None
) -> None:
    """The same of a run that one rule, or `by` another, has ended because of an archive, named where it lies."""
    file = path_of(project, archive).name
    error = expect_clear_end(project, run, f"archives/{file}", *words)
    assert f"results/archives/{file}" not in error, error
    assert f"Error in rule {by or stage}:" in run.log, run.log
    for pattern in OUTPUTS[stage]:
        assert list(project.results.glob(pattern.format(archive=archive, file=file))) == []
