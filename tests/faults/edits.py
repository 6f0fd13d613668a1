"""Edits of a finished project's files by somebody who means well, and what `snakemake check` says of them.

Each edit is to be named, and the command that the check prints, run in a shell as it stands, is to bring the file back.
Some stand alone when somebody looks, others with up to fifteen more. Some have a run behind them before the check,
which may bring the file back by itself and must never vouch for it. Run as `python tests/faults/edits.py --edits 1000`
it prints its figures, and exits with 1 if an edit was blessed, or a command did not mend.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "workflow")]

from checks import in_shell, problems_of  # noqa: E402
from faults.bits import MADE  # noqa: E402
from faults.edit_kinds import JSON, SHARD, TABLE, TEXT, Edit, a_letter, a_line_more  # noqa: E402
from imagenet_prep.formats import tfrecord  # noqa: E402
from project import SMALL, Project, merged  # noqa: E402

# All that is made before the edits.
TARGETS = ("all", "results/scores/demo.json")

# What may stand behind an edit before somebody looks.
BETWEEN: list[list[str]] = [[], [], [], ["all"], ["-f", "audit_products"]]

# How many edits there may be when somebody looks.
TOGETHER = (1, 4, 16, 16)

# How often somebody looks and types what the check says: what one edit hides is seen when that is mended.
LOOKS = 4


@dataclass(frozen=True)
class Edited:
    """One edit.

    Attributes:
        kind: of the file, such as "shard".
        path: what is not as it was, in the project's folder.
        way: what was done to it.
    """

    kind: str
    path: str
    way: str

    def __str__(self) -> str:
        return f"{self.kind} {self.path}: {self.way}"

    def is_named(self, problem: str) -> bool:
        """Whether a line of the check is about it; of an image, its class folder's name is enough."""
        place = str(Path(self.path).parent) if self.kind == "image" else self.path
        return re.search(rf"(?<![\w/.-]){re.escape(place)}(?![\w.-])", problem) is not None


@dataclass
class Figures:
    """What came of the edits.

    Attributes:
        looks: how often somebody looked after edits.
        named: by kind of file, how many were named and mended.
        undone: how many a run brought back before they were named.
        harmless: how many changed a receipt, and the next run made the same files, or had nothing to do.
        faults: descriptions of those that were blessed, or not mended; none if all is well.
    """

    looks: int = 0
    named: Counter[str] = field(default_factory=Counter)
    undone: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def edits(self) -> int:
        """How many came to a good end."""
        return self.named.total() + self.undone.total() + self.harmless.total()

    def __str__(self) -> str:
        lines = [f"{self.edits} edits, {self.looks} looks, {self.named.total()} named, {len(self.faults)} faults"]
        for title, counted in (("named", self.named), ("undone by a run", self.undone), ("harmless", self.harmless)):
            lines += [f"  {title}: {count} of {kind}" for kind, count in sorted(counted.items())]
        return "\n".join([*lines, *(f"  FAULT {fault}" for fault in self.faults)])


class Attack:
    """A finished project, and the edits of its files, one after the other."""

    def __init__(self, project: Project, seed: int) -> None:
        self.project = project
        self.chance = random.Random(seed)
        self.figures = Figures()
        self._products = project.products()
        self._folders = self._all_folders()
        self._touched: set[Path] = set()

    def run(self, edits: int) -> Figures:
        """Make so many edits, some of them together."""
        kinds = [self._text, self._json, self._table, self._shard, self._index, self._image, self._tree, self._receipt]
        left = cycle(kinds)
        while edits:
            together = min(edits, self.chance.choice(TOGETHER))
            edits -= together
            self._touched.clear()
            self._case([kind() for kind in islice(left, together)])
            print(str(self.figures).splitlines()[0], flush=True)
        return self.figures

    def _case(self, made: list[Edited]) -> None:
        between = self.chance.choice(BETWEEN)
        said = "\n".join([*map(str, made), *([f"$ snakemake {' '.join(between)}"] if between else [])])
        if between:
            said += f"\n{self.project.run(*between).terminal}"
        self.figures.looks += 1
        named: set[Edited] = set()
        for _ in range(LOOKS):
            checked = self.project.run("check")
            said += f"\n{checked.terminal}"
            problems = problems_of(checked)
            named.update(it for it in made if any(it.is_named(text) for _, text, _ in problems))
            for command in dict.fromkeys(mend for _, _, mend in problems):
                done = in_shell(command, self.project.folder)
                said += f"\n$ {command}" + (f"\n{done.stdout}" if done.returncode else "")
            if checked.code == 0:
                break
        receipts = [it for it in made if it.kind == "receipt" and it not in named]
        if "Traceback" in said or "fault of the program" in said:
            self._fault(f"a traceback\n{said}")
        elif checked.code:
            self._fault(f"not mended\n{said}")
        elif not self._is_whole():
            self._fault(f"blessed\n{said}\n{self._differences()}")
        elif receipts and not self._makes_the_same():
            self._fault(f"the next run, or the check behind it, fails or makes something else\n{said}")
        else:
            self.figures.named.update(it.kind for it in named)
            self.figures.harmless.update(it.way for it in receipts)
            self.figures.undone.update(it.kind for it in made if it not in named and it.kind != "receipt")

    def _makes_the_same(self) -> bool:
        runs = self.project.run("all"), self.project.run("check")
        return not any(run.code for run in runs) and self._is_whole()

    def _differences(self) -> str:
        found = self.project.products()
        names = {name for name, _ in found.items() ^ self._products.items()}
        return "\n".join(sorted([*names, *map(str, self._all_folders() ^ self._folders)]))

    def _is_whole(self) -> bool:
        return self.project.products() == self._products and self._all_folders() == self._folders

    def _all_folders(self) -> set[Path]:
        top = self.project.results / "imagefolder"
        return {path.relative_to(top) for path in top.rglob("*") if path.is_dir()}

    def _fault(self, text: str) -> None:
        """Note it, and begin again with a whole project."""
        print(f"FAULT {text}", flush=True)
        self.figures.faults.append(text)
        subprocess.run(["rm", "-rf", str(self.project.results)], check=True)
        self.project.succeed(*TARGETS)

    def _edit(self, kind: str, paths: list[Path], edits: list[Edit]) -> Edited:
        path, edit = self.chance.choice(paths), self.chance.choice(edits)
        content = path.read_bytes()
        edited = edit(content, self.chance)
        path.write_bytes(edited if edited != content else content + b"\n")
        return self._edited(kind, path, edit.__name__)

    def _edited(self, kind: str, path: Path, way: str) -> Edited:
        self._touched.add(path)
        return Edited(kind, str(path.relative_to(self.project.folder)), way)

    def _files(self, *patterns: str) -> list[Path]:
        """Those that nobody has edited since the last look."""
        found = {path for pattern in patterns for path in self.project.results.glob(pattern) if path.is_file()}
        return sorted(found - self._touched)

    def _text(self) -> Edited:
        return self._edit("text", self._files("labels/*.csv", "labels/*.txt", "SHA256SUMS", "scores/*.csv"), TEXT)

    def _json(self) -> Edited:
        files = self._files("labels/*.json", "tfrecord*/*.json", "audit.json", "verified/*.json", "report/*.html")
        return self._edit("json", files, [a_letter, a_line_more])

    def _table(self) -> Edited:
        return self._edit("table", self._files("tables/*.parquet", "labels/*.parquet"), TABLE)

    def _shard(self) -> Edited:
        shards = self._files("tfrecord/*-of-*")
        if self.chance.random() < 0.2:  # one in place of another
            first, second = self.chance.sample(shards, 2)
            second.write_bytes(first.read_bytes())
            return self._edited("shard", second, f"{first.name} in its place")
        edited = self._edit("shard", shards, SHARD)
        shard = self.project.folder / edited.path
        index = self.project.results / "tfrecord_index" / shard.name
        if self.chance.random() < 0.5 and index not in self._touched:  # and an index that fits
            index.write_text("".join(f"{offset} {size}\n" for offset, size in _ranges(shard)))
            self._touched.add(index)
            edited = replace(edited, way=f"{edited.way} with its index")
        return edited

    def _index(self) -> Edited:
        return self._edit("index", self._files("tfrecord_index/*-of-*"), TEXT)

    def _image(self) -> Edited:
        path = self.chance.choice(self._files("imagefolder/*/*/*.JPEG"))
        others = [it for it in path.parent.parent.iterdir() if it != path.parent and it not in self._touched]
        another = self.chance.choice(sorted(others)) / path.name
        ways: dict[str, Callable[[], object]] = {
            "edited": lambda: path.write_bytes(path.read_bytes() + b"edited"),
            "removed": path.unlink,
            "renamed": lambda: path.rename(path.with_name(f"my_{path.name}")),
            "of another class": lambda: path.rename(another),
        }
        way = self.chance.choice(list(ways))
        ways[way]()
        self._touched |= {another, path.with_name(f"my_{path.name}")}
        return self._edited("image", path, way)

    def _tree(self) -> Edited:
        folders = ("imagefolder/train", "imagefolder/val", "tfrecord", "tables", "labels")
        places = [
            self.project.results / folder / name for folder in folders for name in ("notes", "n00000000", "train-copy")
        ]
        path = self.chance.choice([it for it in places if it not in self._touched])
        if self.chance.random() < 0.5:
            path.mkdir()
            return self._edited("tree", path, "a folder more")
        path.write_text("mine\n")
        return self._edited("tree", path, "a file more")

    def _receipt(self) -> Edited:
        receipts = self._files("state/*/*.json")
        if self.chance.random() < 0.3:
            path = self.chance.choice(receipts)
            path.unlink()
            return self._edited("receipt", path, "removed")
        return self._edit("receipt", receipts, JSON)


def _ranges(shard: Path) -> list[tuple[int, int]]:
    try:
        return list(tfrecord.record_ranges(shard))
    except Exception:  # it is no shard any more
        return []


def main() -> None:
    """Edit, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder), merged(SMALL, {"products": [*MADE, "report"]}))
        project.succeed(*TARGETS)
        figures = Attack(project, arguments.seed).run(arguments.edits)
    print(figures)
    sys.exit(bool(figures.faults))


if __name__ == "__main__":
    main()
