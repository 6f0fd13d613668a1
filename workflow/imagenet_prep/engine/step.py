"""What the jobs of a rule make, and from what: the versions, settings and needs from which all else follows.

Imports are light, since the Snakefile asks here at every start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

Config = Mapping[str, Any]
Need = tuple[str, str]
"""A step and its subject."""

ALL = "all"
"""The subject of a step that has one job."""


class Step:
    """What the jobs of a rule make. Its subject is what a job is about, such as a split.

    Attributes:
        name: the folder of its receipts.
        rule: the name of the rule; of a step that has none of its own, "".
        version: of what it makes; raised, it is made again, and all that needs it.
        layout: a version of the form of its files alone; raised, only they are made again.
        is_between: whether it makes tables which only other steps read. The same comes of them each time from the same
            archives, so that nothing follows when one is made again; the rules of these steps are checkpoints.
        is_timed: whether the time that it takes says something of a run; the others take a moment, or wait for the net.
    """

    name = ""
    rule = ""
    version = 1
    layout = 1
    is_between = False
    is_timed = False

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """The settings that its files depend on, beside what is in `needs`."""
        return {}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The steps that it follows from."""
        return []

    def inputs(self, config: Config, subject: str) -> list[Need]:
        """The steps of which it reads what they made: those that it needs, and perhaps some that those need."""
        return self.needs(config, subject)

    def reads(self, config: Config, subject: str) -> list[str]:
        """The archives of which it reads bytes, so that they have to be there."""
        return []

    def shows(self, config: Config, subject: str) -> list[str]:
        """Other archives of which it tells what was found."""
        return []

    def told(self, config: Config, subject: str) -> dict[str, Any]:
        """What lies in the output folder unasked, and is told of by its files: a text each, another one when changed.

        Its receipt says the same in `told`; where that is something else, it is made again.
        """
        return {}

    def form(self, config: Config, subject: str) -> object:
        """Settings which only the form of its files depends on."""
        return None


@runtime_checkable
class Batched(Protocol):
    """A step that makes each of its subjects in batches of units."""

    def count(self, config: Config, split: str) -> int:
        """How many units a subject has, at the most."""

    def batch_size(self, config: Config, split: str, archives: Mapping[str, int] | None = None) -> int:
        """How many of them one job makes; `archives` are the sizes in bytes of those that are there."""

    def obstacle(self, config: Config, split: str) -> str | None:
        """Why a subject cannot be made of what lies there in the place of its archive; None where it can."""


def classes_of(config: Config) -> dict[str, Any]:
    """The settings of all that depends on which classes are in use, and how they are numbered."""
    return {"wnids": config["classes"], "subset_labels": config["subset_labels"]}


def part_of(product: str, split: str) -> str:
    """The subject of a step that has a job for a split of a product."""
    return f"{product}-{split}"
