"""Edits of a finished project's files by somebody who means well, and what `snakemake check` says of them.

Each edit is to be named, and the command that the check prints, run in a shell as it stands, is to bring the file back.
Some edits have a run behind them before the check, which may bring the file back by itself and must never vouch for it.
Run as `python tests/faults/edits.py --edits 1000` it prints its figures, and exits with 1 if an edit was blessed, or
a command did not mend.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "workflow")]

from checks import in_shell, problems_of  # noqa: E402
from faults.bits import finished_project  # noqa: E402
from faults.edit_kinds import JSON, SHARD, TABLE, TEXT, Edit, a_letter, a_line_more  # noqa: E402
from imagenet_prep.formats import tfrecord  # noqa: E402
from project import Project, Run  # noqa: E402

# What may stand behind an edit before somebody looks.
BETWEEN: list[list[str]] = [[], [], [], ["all"], ["-f", "audit_products"]]


@dataclass
class Figures:
    """What came of the edits.

    Attributes:
        named: by kind of file, how many were named and mended.
        undone: how many a run brought back before anybody looked.
        harmless: how many changed a receipt, and the next run made the same files, or had nothing to do.
        faults: descriptions of those that were blessed, or not mended; none if all is well.
    """

    named: Counter[str] = field(default_factory=Counter)
    undone: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def edits(self) -> int:
        """How many were made."""
        return self.named.total() + self.undone.total() + self.harmless.total() + len(self.faults)

    def __str__(self) -> str:
        lines = [f"{self.edits} edits, {self.named.total()} named and mended, {len(self.faults)} faults"]
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

    def run(self, edits: int) -> Figures:
        """Make so many edits."""
        kinds = [self._text, self._json, self._table, self._shard, self._index, self._image, self._tree, self._receipt]
        for number in range(edits):
            if number and number % 20 == 0:
                print(self.figures, flush=True)
            kind = kinds[number % len(kinds)]
            self._case(kind.__name__.strip("_"), kind())
        return self.figures

    def _case(self, kind: str, what: str) -> None:
        between = self.chance.choice(BETWEEN)
        what = f"{kind}: {what}" + (f", then {' '.join(between)}" if between else "")
        if between:
            self.project.run(*between)
        checked = self.project.run("check")
        if "Traceback" in checked.terminal or "fault of the program" in checked.terminal:
            self._fault(f"{what}: a traceback\n{checked.terminal}")
        elif checked.code == 0:
            self._passed(kind, what)
        else:
            self._mend(kind, what, checked)

    def _passed(self, kind: str, what: str) -> None:
        """The check found nothing: then all is as it was, and stays so."""
        if kind == "receipt":
            again = self.project.run("all")
            if again.code or self.project.run("check").code or not self._is_whole():
                self._fault(f"{what}: the next run, or the check behind it, fails\n{again.terminal}")
            else:
                self.figures.harmless[what.rpartition(":")[2].split(",")[0].strip()] += 1
        elif self._is_whole():
            self.figures.undone[kind] += 1
        else:
            self._fault(f"{what}: blessed")

    def _mend(self, kind: str, what: str, checked: Run) -> None:
        said = ""
        for _ in range(3):
            for command in dict.fromkeys(mend for _, _, mend in problems_of(checked)):
                done = in_shell(command, self.project.folder)
                said += f"\n$ {command}\n{done.stdout}" if done.returncode else f"\n$ {command}"
            checked = self.project.run("check")
            if checked.code == 0:
                break
        if checked.code or not self._is_whole():
            self._fault(f"{what}: not mended\n{checked.terminal}{said}")
        else:
            self.figures.named[kind] += 1

    def _is_whole(self) -> bool:
        return self.project.products() == self._products and self._all_folders() == self._folders

    def _all_folders(self) -> set[Path]:
        top = self.project.results / "imagefolder"
        return {path.relative_to(top) for path in top.rglob("*") if path.is_dir()}

    def _fault(self, text: str) -> None:
        """Note it, and begin again with a whole project."""
        self.figures.faults.append(text)
        subprocess.run(["rm", "-rf", str(self.project.results)], check=True)
        self.project.succeed("all")

    def _edit(self, paths: list[Path], edits: list[Edit]) -> str:
        path, edit = self.chance.choice(sorted(paths)), self.chance.choice(edits)
        content = path.read_bytes()
        edited = edit(content, self.chance)
        path.write_bytes(edited if edited != content else content + b"\n")
        return f"{path.relative_to(self.project.folder)}: {edit.__name__}"

    def _files(self, *patterns: str) -> list[Path]:
        return [path for pattern in patterns for path in self.project.results.glob(pattern) if path.is_file()]

    def _text(self) -> str:
        return self._edit(self._files("labels/*.csv", "labels/*.txt", "SHA256SUMS", "scores/*.csv"), TEXT)

    def _json(self) -> str:
        return self._edit(
            self._files("labels/*.json", "tfrecord*/*.json", "audit.json", "verified/*.json", "report/*.html"),
            [a_letter, a_line_more],
        )

    def _table(self) -> str:
        return self._edit(self._files("tables/*.parquet", "labels/*.parquet"), TABLE)

    def _shard(self) -> str:
        shards = sorted(self._files("tfrecord/*-of-*"))
        if self.chance.random() < 0.2:  # one in place of another
            first, second = self.chance.sample(shards, 2)
            second.write_bytes(first.read_bytes())
            return f"{second.relative_to(self.project.folder)}: {first.name} in its place"
        said = self._edit(shards, SHARD)
        if self.chance.random() < 0.5:  # and an index that fits
            shard = self.project.folder / said.partition(":")[0]
            index = self.project.results / "tfrecord_index" / shard.name
            lines = [f"{offset} {size}\n" for offset, size in _ranges(shard)]
            index.write_text("".join(lines))
            said += " with its index"
        return said

    def _index(self) -> str:
        return self._edit(self._files("tfrecord_index/*-of-*"), TEXT)

    def _image(self) -> str:
        path = self.chance.choice(sorted(self._files("imagefolder/*/*/*.JPEG")))
        others = [it for it in path.parent.parent.iterdir() if it != path.parent]
        ways: dict[str, Callable[[], object]] = {
            "edited": lambda: path.write_bytes(path.read_bytes() + b"edited"),
            "removed": path.unlink,
            "renamed": lambda: path.rename(path.with_name(f"my_{path.name}")),
            "of another class": lambda: path.rename(self.chance.choice(others) / path.name),
        }
        way = self.chance.choice(list(ways))
        ways[way]()
        return f"{path.relative_to(self.project.folder)}: {way}"

    def _tree(self) -> str:
        folder = self.chance.choice(["imagefolder/train", "imagefolder/val", "tfrecord", "tables", "labels"])
        path = self.project.results / folder / self.chance.choice(["notes", "n00000000", "train-copy"])
        is_folder = self.chance.random() < 0.5
        if is_folder:
            path.mkdir()
        else:
            path.write_text("mine\n")
        return f"{path.relative_to(self.project.folder)}: {'a folder' if is_folder else 'a file'} more"

    def _receipt(self) -> str:
        receipts = self._files("state/*/*.json")
        if self.chance.random() < 0.3:
            path = self.chance.choice(sorted(receipts))
            path.unlink()
            return f"{path.relative_to(self.project.folder)}: removed"
        return self._edit(receipts, JSON)


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
        project = finished_project(Path(folder))
        figures = Attack(project, arguments.seed).run(arguments.edits)
    print(figures)
    sys.exit(bool(figures.faults))


if __name__ == "__main__":
    main()
