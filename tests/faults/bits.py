"""Bits flipped, ends cut off and blocks zeroed at random places of archives, tables, shards and indexes.

Each damage is judged by what reads the file: archives by their verification, and by the making of shards where they
were damaged after it; the workflow's own tables by their reader; products by `snakemake check`. Run it as
`python tests/faults/bits.py --cases 2000`: it prints its figures, and exits with 1 if any damage was passed over.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "workflow")]

from imagenet_prep import configuration  # noqa: E402
from imagenet_prep.datasets.catalogue import dataset_of  # noqa: E402
from imagenet_prep.engine.archive_check import Expected, verify  # noqa: E402
from imagenet_prep.engine.receipts import unchanged  # noqa: E402
from imagenet_prep.engine.scan import scan  # noqa: E402
from imagenet_prep.engine.shard_writer import Reencoding, write_shards  # noqa: E402
from imagenet_prep.errors import PrepError  # noqa: E402
from imagenet_prep.formats import parquet  # noqa: E402
from imagenet_prep.products.audit.run import Audit  # noqa: E402
from imagenet_prep.products.registry import PRODUCTS, SHARDED_PRODUCTS  # noqa: E402
from project import SMALL, Project, merged  # noqa: E402

MADE = [*(name for name, product in PRODUCTS.items() if product.is_audited), "audit"]
RECORDS = SHARDED_PRODUCTS["tfrecord"]
BLOCK = 512
REPORT = 100
"""Cases after which the figures so far are printed."""

SPLITS = ("train", "validation")
"""Those whose archives are damaged after their verification."""

# Damage, from content, to the content, the first byte touched and the one behind the last.
Damaged = tuple[bytes, int, int]


def flip(content: bytes, chance: random.Random) -> Damaged:
    """One bit turned."""
    place = chance.randrange(len(content))
    changed = bytearray(content)
    changed[place] ^= 1 << chance.randrange(8)
    return bytes(changed), place, place + 1


def cut(content: bytes, chance: random.Random) -> Damaged:
    """The end missing."""
    place = chance.randrange(len(content))
    return content[:place], place, len(content)


def zero(content: bytes, chance: random.Random) -> Damaged:
    """A block of zeros, as bad sectors leave them."""
    place = chance.randrange(len(content))
    end = min(place + BLOCK, len(content))
    return content[:place] + bytes(end - place) + content[end:], place, end


KINDS: tuple[Callable[[bytes, random.Random], Damaged], ...] = (flip, cut, zero)


@dataclass
class Figures:
    """What came of the cases.

    Attributes:
        detected: by kind of file, how many were told, the file named.
        offsets: how many of these with a byte offset or the name of the member.
        free: by kind of file, how many changed nothing that anybody reads, with the reason.
        silent: descriptions of those that were passed over; none if all is well.
    """

    detected: Counter[str] = field(default_factory=Counter)
    offsets: Counter[str] = field(default_factory=Counter)
    free: Counter[str] = field(default_factory=Counter)
    silent: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        """The number of damages."""
        return self.detected.total() + self.free.total() + len(self.silent)

    def __str__(self) -> str:
        lines = [f"{self.cases} cases, {self.detected.total()} detected, {len(self.silent)} silent"]
        for kind in sorted(self.detected):
            lines.append(
                f"  {kind}: {self.detected[kind]} detected, {self.offsets[kind]} of them with the place inside"
            )
        lines += [f"  {count} without effect: {reason}" for reason, count in sorted(self.free.items())]
        return "\n".join([*lines, *(f"  SILENT {case}" for case in self.silent)])


class Attack:
    """A finished project, and the damage that is done to its files, one after the other."""

    def __init__(self, project: Project, seed: int) -> None:
        self.project = project
        self.chance = random.Random(seed)
        self.figures = Figures()
        written = yaml.safe_load((project.folder / "test.yaml").read_text())
        base = yaml.safe_load((project.folder / "config" / "config.yaml").read_text())
        with contextlib.chdir(project.folder):
            self._config = configuration.complete(merged(base, written), project.folder)
        dataset = dataset_of(self._config)
        self._scanned_as = {
            self._config["archives"][dataset.splits[split].archive]["file"]: dataset.splits[split] for split in SPLITS
        }
        self._judges = {
            "archive": (self._archives(), self._verification),
            "archive after its verification": (self._scanned(), self._use),
            "table of the workflow's own": (sorted((project.results / "state").rglob("*.parquet")), self._reading),
            "product": (self._published(), self._check),
        }

    def run(self, cases: int) -> Figures:
        """Do so much damage, to each kind of file as often."""
        for number in range(cases):
            if number and number % REPORT == 0:
                print(self.figures, flush=True)
            kind = list(self._judges)[number % len(self._judges)]
            files, judge = self._judges[kind]
            self._case(kind, self.chance.choice(files), judge)
        return self.figures

    def _case(self, kind: str, path: Path, judge: Callable[[Path, bytes, int, int], str | None]) -> None:
        content = path.read_bytes()
        damage = self.chance.choice(KINDS)
        damaged, first, last = damage(content, self.chance)
        if damaged == content:
            self.figures.free["zeros where zeros were"] += 1
            return
        mode = path.stat().st_mode
        path.chmod(0o644)
        path.write_bytes(damaged)
        try:
            told = judge(path, content, first, last)
        finally:
            path.write_bytes(content)
            path.chmod(mode)
        shown = path.relative_to(self.project.folder)
        if told is None:
            self.figures.silent.append(f"{kind}: {shown}, {damage.__name__} at {first} to {last} of {len(content)}")
        elif told.startswith("free: "):
            self.figures.free[told.removeprefix("free: ")] += 1
        else:
            self.figures.detected[kind] += 1
            self.figures.offsets[kind] += "offset" in told or "byte" in told

    def _archives(self) -> list[Path]:
        return sorted(path for path in self.project.archives.iterdir() if path.is_file())

    def _scanned(self) -> list[Path]:
        return [path for path in self._archives() if path.name in self._scanned_as]

    def _published(self) -> list[Path]:
        names = [line.split("  ", 1)[1] for line in (self.project.results / "SHA256SUMS").read_text().splitlines()]
        images = sorted((self.project.results / "imagefolder").rglob("*.JPEG"))
        few = self.chance.sample(images, min(len(images), len(names)))  # else nearly all the damage would be theirs
        return [*(self.project.results / name for name in names), *few]

    def _verification(self, path: Path, content: bytes, first: int, last: int) -> str | None:
        """Reading it with its checksum known, as those of the official archives are."""
        expected = Expected("md5", hashlib.md5(content).hexdigest())
        try:
            if path.name in self._scanned_as:
                archive = self._scanned_as[path.name].archive
                scan(archive, path, expected, self.project.folder / "scan.parquet", dataset_of(self._config))
            else:
                verify(path.stem, path, expected)
        except PrepError as error:
            return str(error) if path.name in str(error) else None
        return None

    def _use(self, path: Path, content: bytes, first: int, last: int) -> str | None:
        """Making shards from it: what lies between the images is not read any more."""
        split = self._scanned_as[path.name].name
        state = self.project.results / "state"
        (plan,) = (state / "plan").glob(f"{RECORDS.name}-{split}.*.parquet")
        rows = pq.read_table(plan, columns=["filename", "offset", "length"]).to_pylist()
        hit = {row["filename"] for row in rows if row["offset"] < last and first < row["offset"] + row["length"]}
        output = self.project.folder / "shards"
        shards = RECORDS.shard_set(output, split, pq.ParquetFile(plan).num_row_groups)
        archive = self.project.results / "archives" / path.name
        try:
            write_shards(plan, shards, 0, shards.shards - 1, archive, Reencoding(), RECORDS.write)
        except PrepError as error:
            cut_off = "ends" in error.problem
            return str(error) if path.name in str(error) and (error.member in hit or cut_off) else None
        finally:
            shutil.rmtree(output, ignore_errors=True)
        return None if hit else "free: headers and padding of an archive, which nobody reads after its verification"

    def _reading(self, path: Path, content: bytes, first: int, last: int) -> str | None:
        """The reader of tables, through which every stage goes."""
        right = pq.read_table(pa.BufferReader(content))
        try:
            found = parquet.read(unchanged(receipt_of(path), path))
        except PrepError as error:
            return str(error) if str(path) in str(error) else None
        return "free: a table's notes about itself, which change no value" if found.equals(right) else None

    def _check(self, path: Path, content: bytes, first: int, last: int) -> str | None:
        """`snakemake check`."""
        with contextlib.chdir(self.project.folder), quiet():
            products = [name for name in MADE if PRODUCTS[name].is_audited]
            splits = [split.name for split in dataset_of(self._config).splits_in_use(self._config)]
            audit = Audit(self._config, products, splits, 1)
            audit.run()
            audit.check_sums()
        problems = [problem.text for check in audit.checks for problem in check.problems]
        return next((text for text in problems if path.name in text), None)


def receipt_of(table: Path) -> Path:
    """The receipt that a table of the workflow's own is named after."""
    subject, digest, number, *_ = table.name.split(".")
    return table.with_name(f"{subject}.{digest}.{number}.json")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing of the audit's progress on the terminal."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        yield


def finished_project(folder: Path) -> Project:
    """A small project in which every product is made."""
    project = Project(folder, merged(SMALL, {"products": MADE}))
    project.succeed()
    return project


def main() -> None:
    """Attack, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = Attack(finished_project(Path(folder)), arguments.seed).run(arguments.cases)
    print(figures)
    sys.exit(bool(figures.silent))


if __name__ == "__main__":
    main()
