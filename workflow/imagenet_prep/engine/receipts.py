"""Receipts: what a job has made, and from what. Each is named by the settings that it was made with.

A receipt is the file `state/<step>/<subject>.<digest>.<number>.json`. The digest is that of the step's version and
settings and of all that it needs, so what another configuration, or another version, asks for is a file that is not
there. The number rises where what was made is not there any more, or where an archive has another content now. So what
is stale follows from the configuration and the disk alone.

The body of a receipt says, whatever the step:
    settings: those of the configuration that the files depend on;
    archives: the content of each archive that this was made from, by its name in the configuration;
    files: by path below the output folder, what is known of each file, such as its `bytes` and its `sha256`;
    folders: by path below the output folder, the number of `files` in each and when it `changed`, in ns since 1970;
    told: what the job found in the output folder without asking for it, and its files tell of (`Step.told`);
    links: by path below the output folder, where each leads;
and what else the step has to tell.
Imports are light, since the Snakefile looks here at every start.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.engine import batches
from imagenet_prep.engine.step import ALL
from imagenet_prep.errors import AGAIN, Described, PrepError, reading_again

STATE = "state"
ARCHIVES = "archives"
"""The step whose receipts are of archives, and say in `content` what each one holds."""

FETCHED = "fetched"
"""The step whose receipts tell that an archive is there, and that the link to it leads there."""

PROBLEM = "problem"
"""What the receipt of an archive says, in place of all else, that is missing or wrong; it vouches for nothing."""

LEFTOVERS = "leftovers"
"""The step that takes away what an older configuration left; its receipts say that nothing is left."""

UNUSED = "unused"
"""The step that takes away what was made of archives that are not in use any more; likewise."""

DIGEST = r"[0-9a-f]{10}"
_NAME = re.compile(rf"(?P<subject>.+)\.(?P<digest>{DIGEST})\.(?P<number>\d+)\.json")

Body = dict[str, Any]


@dataclass(frozen=True)
class Name:
    """The parts of a receipt's name."""

    subject: str
    digest: str
    number: int

    def __str__(self) -> str:
        return f"{self.subject}.{self.digest}.{self.number}.json"

    @classmethod
    def parse(cls, text: str) -> Name | None:
        """The parts of a file's name; None where it is no receipt's."""
        matched = _NAME.fullmatch(text)
        return cls(matched["subject"], matched["digest"], int(matched["number"])) if matched else None

    @property
    def split(self) -> str:
        """The split that a batch is of; of what is no batch, the subject."""
        batch = batches.parse(self.subject)
        return batch[0] if batch else self.subject


def digest(*parts: object) -> str:
    """Ten hexadecimal digits that follow from these values, whatever the machine, the process or the order of keys."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def load(path: str | os.PathLike[str]) -> Body:
    """The body of a receipt.

    Raises:
        PrepError: it is missing or damaged, or notes a problem of an archive.
    """
    with reading_again(path):
        body = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(body, dict):
            raise ValueError("it holds no JSON object")
        if PROBLEM in body:
            raise Described(body[PROBLEM])
        return body


def names(folder: Path) -> list[Name]:
    """The receipts in a folder, sorted; none where it is not there."""
    try:
        entries = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for name in map(Name.parse, entries) if name]


def ledger_of(output_dir: Path, folder: str) -> Path:
    """Where the names of the files are noted that were put into a folder; `folder` is its path below the output folder.

    A tree that has files of its own, beside or in place of folders, has the note in the folder of its folders' notes.
    """
    is_tree = folder.count("/") == 1
    return output_dir / STATE / "made" / (f"{folder}/files.txt" if is_tree else f"{folder}.txt")


def ledger(output_dir: Path, folder: str) -> set[str]:
    """The names of the files that were ever put into a folder and not yet taken away."""
    try:
        return set(ledger_of(output_dir, folder).read_text(encoding="utf-8").split("\n")) - {""}
    except FileNotFoundError:
        return set()


@contextmanager
def making(snakemake: Any, units: Collection[str] = (), *, beside: bool = False) -> Iterator[Body]:
    """Make what a receipt is about in the block, which fills the body; the receipt is written when the block ends well.

    Before it begins, every other receipt of the same files is removed and that is brought to the disk: whatever happens
    from then on, none vouches for files that it is not about.

    Args:
        snakemake: of the script: `output.receipt`, `input.archives` (receipts of archives), `params.settings` and
            `params.archives` (the names of all archives that this is made from, however indirectly).
        units: of a batch, the paths of all files or folders that it is to make, below the output folder.
        beside: the files are named after the receipt and touch no older ones, so these are removed only afterwards.
    """
    path = Path(snakemake.output.receipt)
    body: Body = {
        "settings": snakemake.params.settings,
        "archives": contents(path.parents[1], snakemake.params.archives, snakemake.input.get("archives", [])),
    }
    if not beside:
        withdraw(path, units)
    yield body
    atomic.write_json(path, body)
    if beside:
        _remove_older(path)


def contents(state: Path, archives: Iterable[str], listed: Iterable[str]) -> dict[str, str]:
    """What each of these archives holds, by its name.

    Args:
        state: the folder of all receipts.
        archives: their names in the configuration.
        listed: receipts of the archives that are there. Of one that was taken away, the newest receipt counts.
    """
    folder = state / ARCHIVES
    newest = {name.subject: folder / str(name) for name in sorted(names(folder), key=lambda name: name.number)}
    for path in map(Path, listed):
        name = Name.parse(path.name)
        if name:
            newest[name.subject] = path
    return {name: str(load(newest[name])["content"]) for name in sorted(archives) if name in newest}


def withdraw(receipt: Path, units: Collection[str] = ()) -> None:
    """Remove all receipts that are about files which are now to be made, or taken away, under this receipt.

    Of batches these are those of the same split that name one of the units, and the one which says that nothing else
    lies there. That they are gone has reached the disk when this returns.
    """
    own = Name.parse(receipt.name)
    assert own is not None
    folder = receipt.parent
    void = []
    for name in names(folder):
        if name.split == own.split and (name.subject == own.subject or _is_about(folder / str(name), units)):
            void.append(folder / str(name))
    claims = folder.parent / LEFTOVERS
    if own.split != own.subject:
        void += [claims / str(name) for name in names(claims) if name.subject in (f"{folder.name}-{own.split}", ALL)]
    unused = folder.parent / UNUSED
    void += [unused / str(name) for name in names(unused) if _denies(unused / str(name), folder.name, own.split)]
    remove(void)


def _denies(unused: Path, step: str, split: str) -> bool:
    """Whether a receipt says that nothing is left of what is now to be made."""
    try:
        kept = load(unused)["settings"]["kept"]
        return step in kept and split not in kept[step]
    except (PrepError, KeyError, TypeError):
        return True


def remove_of_other_content(state: Path, archive: str, content: str) -> None:
    """Remove all receipts of what was made when an archive held something else."""
    void = []
    for folder in sorted(path for path in state.iterdir() if path.is_dir()):
        for name in names(folder):
            try:
                made_from = load(folder / str(name)).get("archives", {}).get(archive, content)
            except (PrepError, AttributeError):  # its job finds that it cannot be read
                continue
            if made_from != content:
                void.append(folder / str(name))
    remove_with_tables(void)


def remove(paths: Iterable[Path]) -> None:
    """Remove files and wait until that has reached the disk."""
    paths = list(paths)
    for path in paths:
        path.unlink(missing_ok=True)
    for folder in sorted({path.parent for path in paths}):
        atomic.sync_folder(folder)


def _is_about(receipt: Path, units: Collection[str]) -> bool:
    try:
        body = load(receipt)
        return not set(units).isdisjoint([*body.get("files", {}), *body.get("folders", {})])
    except (PrepError, TypeError):  # nobody can say what it is about
        return True


def _remove_older(receipt: Path) -> None:
    """Remove the other receipts of the same subject, and then the files that are named after them."""
    own = Name.parse(receipt.name)
    assert own is not None
    older = [name for name in names(receipt.parent) if name.subject == own.subject and name != own]
    remove_with_tables(receipt.parent / str(name) for name in older)


def remove_with_tables(receipts: Iterable[Path]) -> None:
    """Remove receipts, and then the tables that are named after them."""
    receipts = list(receipts)
    remove(receipts)
    for path in receipts:
        for own in path.parent.glob(f"{path.stem}.*"):
            own.unlink(missing_ok=True)


def table(receipt: str | os.PathLike[str], kind: str = "parquet") -> Path:
    """Where the table lies that is named after a receipt: `<receipt without .json>.<kind>`."""
    return Path(os.fspath(receipt).removesuffix(".json") + f".{kind}")


def described(output_dir: Path, paths: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """What a receipt says of files, by path below the output folder: size, and SHA-256 or, below state/, CRC-32C."""
    return {path.relative_to(output_dir).as_posix(): _description(output_dir, path) for path in paths}


def _description(output_dir: Path, path: Path) -> dict[str, Any]:
    nbytes = path.stat().st_size
    if path.is_relative_to(output_dir / STATE):  # read by each job, so that the quicker checksum counts
        return {"bytes": nbytes, "crc32c": atomic.crc32c(path)}
    return {"bytes": nbytes, "sha256": atomic.sha256(path)}


def expect_unchanged(receipt: str | os.PathLike[str]) -> None:
    """Raise `PrepError` where a file that a receipt names is not as it was made."""
    output_dir = Path(receipt).parents[2]
    for path in load(receipt)["files"]:
        unchanged(receipt, output_dir / path)


def unchanged(receipt: str | os.PathLike[str], path: Path) -> Path:
    """The path of a file, when it is still as it was when this receipt of it was written.

    Raises:
        PrepError: it is another one now, or missing.
    """
    output_dir = Path(receipt).parents[2]
    with reading_again(path):
        made = load(receipt)["files"][path.relative_to(output_dir).as_posix()]
        if _description(output_dir, path) != {key: made[key] for key in ("bytes", "crc32c", "sha256") if key in made}:
            raise PrepError(path, "it is not as it was made: somebody, or the disk, has changed it since", AGAIN)
    return path
