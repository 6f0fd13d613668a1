"""How long each stage of a run took, from Snakemake's benchmark files: a line of figures a job.

The columns are Snakemake's own: `s` seconds, `max_rss` MB; `NA` or `-` where it could not measure.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from imagenet_prep.engine.receipts import Name
from imagenet_prep.engine.step import ALL, Config, Need, Step


@dataclass
class Stage:
    """The jobs of a rule whose results exist.

    Attributes:
        rule: its name.
        jobs: how many they were.
        seconds: of all of them, one after the other.
        max_rss: the most memory that one of them held, in MB.
        nbytes: of the archives or images that they went through; 0 where that is no measure.
        began: when the first one did, in seconds since 1970.
        ended: when the last one did.
    """

    rule: str
    jobs: int = 0
    seconds: float = 0.0
    max_rss: float = 0.0
    nbytes: int = 0
    began: float = float("inf")
    ended: float = 0.0


def read_stages(
    benchmarks: Path,
    state: Path,
    rules: Mapping[str, str],
    subjects: Iterable[str],
    nbytes: Mapping[tuple[str, str], int],
) -> list[Stage]:
    """The stages in the order of their beginnings.

    Args:
        benchmarks: the folder of the benchmark files, `<rule>.tsv` or `<rule>/<name of the receipt>.tsv`.
        state: the folder of the receipts.
        rules: the names of the rules that count, each with the folder of its receipts, after which its jobs are named:
            the time of a job counts as long as its receipt is there.
        subjects: the subjects of the jobs that count, such as the archives and splits in use.
        nbytes: the bytes that a rule's jobs go through, by rule and subject.
    """
    known = set(subjects)
    stages = []
    for rule, folder in rules.items():
        stage = Stage(rule)
        seen = set()
        for path in sorted([*benchmarks.glob(f"{rule}.tsv"), *(benchmarks / rule).glob("*.tsv")]):
            name = Name.parse(f"{path.stem}.json")
            subject = name.split if name else rule
            if name is None and path.parent != benchmarks:
                continue
            if name and not (state / folder / str(name)).exists():
                continue
            if subject not in (rule, ALL) and subject not in known:
                continue
            for row in rows(path):
                seconds = number(row.get("s"))
                ended = path.stat().st_mtime
                stage.jobs += 1
                stage.seconds += seconds
                stage.max_rss = max(stage.max_rss, number(row.get("max_rss")))
                stage.began = min(stage.began, ended - seconds)
                stage.ended = max(stage.ended, ended)
                seen.add(subject)
        stage.nbytes = sum(nbytes.get((rule, subject), 0) for subject in seen)
        if stage.jobs:
            stages.append(stage)
    return sorted(stages, key=lambda stage: (stage.began, stage.rule))


def followed(steps: Mapping[str, Step], config: Config, need: Need) -> set[Need]:
    """A step and its subject, and all that it is made from, however indirectly."""
    found, left = set(), [need]
    while left:
        step, subject = left.pop()
        if (step, subject) not in found:
            found.add((step, subject))
            left += steps[step].needs(config, subject)
    return found


def rows(path: Path) -> Iterator[dict[str, str]]:
    """The lines of a benchmark file."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t")


def number(text: str | None) -> float:
    """A figure of a benchmark file; 0 where it could not be measured."""
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0
