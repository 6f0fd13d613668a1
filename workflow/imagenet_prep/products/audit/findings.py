"""What an audit found: checks with their figures, and problems with the command that mends each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from imagenet_prep import commands
from imagenet_prep.errors import PrepError

SHOWN = 20
"""How many problems of a kind are shown one by one."""

Mend = str | Callable[[str], str]
"""A command, or a sentence, that mends something; of many things, with `{}` for each name, or a function of it."""


@dataclass(frozen=True)
class Problem:
    """Something missing, changed or too much.

    Attributes:
        text: what is wrong, beginning with the file.
        mend: a command, or a sentence, that mends it.
        kind: problems of one kind are alike; of each, the first are shown.
        count: how many things it stands for.
    """

    text: str
    mend: str
    kind: str
    count: int = 1


@dataclass
class Findings:
    """Problems of many things that are looked at some at a time.

    Attributes:
        found: by what is wrong and what mends it, the first names and the number of all.
    """

    found: dict[tuple[str, str], tuple[list[str], int]] = field(default_factory=dict)

    def add(self, what: str, names: list[str], mend: str) -> None:
        """Add names, perhaps none, of which this is true."""
        if names:
            first, count = self.found.get((what, mend), ([], 0))
            self.found[what, mend] = (first + names[: SHOWN + 1 - len(first)], count + len(names))


@dataclass
class Check:
    """What was found about one thing, such as a split of a product.

    Attributes:
        name: such as "tfrecord train".
        figures: numbers that say what was looked at, by name.
        problems: what is wrong, none if all is well; of many alike, the first.
    """

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, text: str, mend: str, kind: str | None = None) -> None:
        """Note a problem.

        Args:
            text: what is wrong, beginning with the file.
            mend: a command, or a sentence, that mends it.
            kind: of which there may be many; None for one by itself.
        """
        self.problems.append(Problem(text, mend, text if kind is None else kind))

    def add_each(self, what: str, names: list[str], mend: Mend, count: int | None = None) -> None:
        """Note a problem for each of the names, perhaps none, the first few of them by name and the rest by number.

        Args:
            what: what is wrong with all of them.
            names: the files, or what else it is that is wrong.
            mend: what mends each of them.
            count: how many there are, where only the first are given.
        """
        others = (count or len(names)) - SHOWN
        for number, name in enumerate(names[: SHOWN + 1]):
            stands_for = others if number == SHOWN else 1
            of_it = mend(name) if callable(mend) else mend.replace("{}", commands.typed(name))
            self.problems.append(Problem(f"{name}: {what}", of_it, what, stands_for))

    def add_wrong_files(self, output_dir: Path, wrong: Mapping[str, str], mend: str) -> None:
        """Note what is wrong with each of these files, by path below a folder: what is there has to go first."""
        for what in dict.fromkeys(wrong.values()):
            names = [str(output_dir / name) for name, of in wrong.items() if of == what]
            there = any(Path(name).exists() for name in names)
            self.add_each(what, names, f"rm -f {{}} && {mend}" if there else mend)

    @property
    def count(self) -> int:
        """How many things are wrong."""
        return sum(problem.count for problem in self.problems)

    @property
    def shown(self) -> list[Problem]:
        """The problems for people: the first of each kind, and a line about those behind them."""
        of_kind: dict[str, list[Problem]] = {}
        for problem in self.problems:
            of_kind.setdefault(problem.kind, []).append(problem)
        shown: list[Problem] = []
        for kind, problems in of_kind.items():
            shown += problems[:SHOWN]
            if rest := problems[SHOWN:]:
                n = sum(problem.count for problem in rest)
                shown.append(Problem(f"and {n} more like {rest[0].text}", rest[0].mend, kind, n))
        return shown

    def add_findings(self, findings: Findings) -> None:
        """Note what was found piece by piece, as `add_each` does."""
        for (what, mend), (names, count) in findings.found.items():
            self.add_each(what, names, mend, count)

    def as_json(self) -> dict[str, Any]:
        """The check as it stands in audit.json."""
        return {
            "name": self.name,
            "ok": not self.problems,
            "figures": self.figures,
            "problems": [{"problem": problem.text, "mend": problem.mend} for problem in self.shown],
        }


def as_json(checks: list[Check], version: int) -> dict[str, Any]:
    """The whole report."""
    return {
        "ok": not any(check.problems for check in checks),
        "checks": [check.as_json() for check in checks],
        "format_version": version,
    }


def as_text(checks: list[Check]) -> str:
    """The report for a terminal: a line a check, and below each failed one its problems."""
    lines = []
    for check in checks:
        figures = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in check.figures.items())
        lines.append(f"{'FAILED' if check.problems else 'ok':6}  {check.name}{figures and ': '}{figures}")
        for problem in check.shown:
            lines.append(f"          {problem.text}")
            lines.append(f"            mend: {problem.mend}")
    return "\n".join(lines)


def expect_no_problem(checks: list[Check], place: str | PathLike[str]) -> None:
    """Raise `PrepError` with the first problem and its mend, if there is any."""
    failed = [check for check in checks if check.problems]
    if failed:
        first = failed[0].problems[0]
        n = sum(check.count for check in failed)
        names = ", ".join(check.name for check in failed)
        others = "" if n == 1 else f" (the first of {n} problems, in {names}; the first of each kind above)"
        raise PrepError(place, f"{first.text}{others}", f"To mend it: {first.mend}")
