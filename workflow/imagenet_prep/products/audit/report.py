"""What an audit found: checks with their figures, and problems with the command that mends each."""

from __future__ import annotations

from dataclasses import dataclass, field
from os import PathLike
from typing import Any

from imagenet_prep.errors import PrepError

SHOWN = 20
MOVE_AWAY = "move it away: mv {} <elsewhere>"


@dataclass(frozen=True)
class Problem:
    """Something missing, changed or too much.

    Attributes:
        text: what is wrong, beginning with the file.
        mend: a command, or a sentence, that mends it.
    """

    text: str
    mend: str


@dataclass
class Findings:
    """What is wrong with which of many things, looked at some at a time.

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
    """One thing looked at.

    Attributes:
        name: such as "tfrecord train".
        figures: numbers that say what was looked at, by name.
        problems: what is wrong, none if all is well.
    """

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, text: str, mend: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(text, mend))

    def add_each(self, what: str, names: list[str], mend: str, count: int | None = None) -> None:
        """Note a problem for each of the names, the first few of them by name and the rest by number.

        Args:
            count: of all the names, where only the first are given.
        """
        for name in names[:SHOWN]:
            self.add(f"{name}: {what}", mend.replace("{}", name))
        if len(names) > SHOWN:
            others = (count or len(names)) - SHOWN
            self.add(f"and {others} more like {names[SHOWN]}: {what}", mend.replace("{}", names[SHOWN]))

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
            "problems": [{"problem": problem.text, "mend": problem.mend} for problem in self.problems[: SHOWN + 1]],
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
        lines.append(f"{'FAILED' if check.problems else 'ok':6}  {check.name}: {figures or 'nothing there'}")
        for problem in check.problems[: SHOWN + 1]:
            lines.append(f"          {problem.text}")
            lines.append(f"            mend: {problem.mend}")
    return "\n".join(lines)


def expect_no_problem(checks: list[Check], place: str | PathLike[str]) -> None:
    """Raise `PrepError` with the first problem and its mend, if there is any."""
    failed = [check for check in checks if check.problems]
    if failed:
        first = failed[0].problems[0]
        n = sum(len(check.problems) for check in failed)
        others = (
            ""
            if n == 1
            else f" (the first of {n} problems, in {', '.join(check.name for check in failed)}; all of them above)"
        )
        raise PrepError(place, f"{first.text}{others}", f"To mend it: {first.mend}")
