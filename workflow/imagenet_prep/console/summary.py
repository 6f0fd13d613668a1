"""The last lines of a run: what was made, where, how fast, what was odd, and what to do next; or how far it came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagenet_prep.console.stages import Run, Stage, State
from imagenet_prep.progress import shown_bytes, shown_number, shown_time

# Where lies below the output folder what these rules make, in the order in which it is told.
_PLACES = {
    "write_folders": "imagefolder",
    "write_shards": "tfrecord",
    "write_multilabel_records": "tfrecord_multilabel",
    "index_shards": "tfrecord_index",
    "tabulate_images": "tables",
    "tabulate_boxes": "tables",
    "tabulate_multilabel": "tables",
    "write_labels": "labels",
    "score_predictions": "scores",
    "audit_products": "audit.json",
    "write_page": "report/index.html",
}


def of_success(run: Run, seconds: float, config: Mapping[str, Any], snakemake_log: str) -> str:
    """The last lines of a run that ended well.

    Args:
        run: what was done.
        seconds: how long that took.
        config: the configuration, complete.
        snakemake_log: where Snakemake keeps all that it said.
    """
    output, jobs = Path(config["output_dir"]), run.number(State.DONE)
    rows = [("", f"Done: {jobs} {'job' if jobs == 1 else 'jobs'} in {shown_time(seconds)}")]
    made: dict[str, list[Stage]] = {}
    for rule, place in _PLACES.items():
        made.setdefault(place, []).extend(stage for stage in run.stages.values() if stage.rule == rule)
    for place, stages in made.items():
        if stages:
            rows.append((f"{output}/{place}", _content(place, stages, output)))
    if config["publish"]["url"] and ("publish_products", "") in run.stages:
        rows.append((config["publish"]["url"], "published"))
    rows += [("", line) for line in (_speed(run, seconds), *_odd(made, config, output), *_next(made, output)) if line]
    return "\n".join(["", *_aligned(rows), f"Snakemake's own log: {snakemake_log}"])


def of_failure(run: Run, seconds: float, snakemake_log: str) -> str:
    """What is to be known beside the causes of its failures, which follow."""
    done, failed = run.number(State.DONE), run.number(State.FAILED)
    what = f"{failed} failed" if failed else "the run was ended"
    took = shown_time(seconds)
    return f"\n{done} of {run.number()} jobs done in {took}, {what}. Snakemake's own log: {snakemake_log}"


def _aligned(rows: list[tuple[str, str]]) -> list[str]:
    width = max(len(place) for place, _ in rows)
    return [f"  {place:{width}}  {text}".rstrip() if place else text for place, text in rows]


def _content(place: str, stages: list[Stage], output: Path) -> str:
    if place == "audit.json":
        checks = json.loads((output / place).read_text(encoding="utf-8"))["checks"]
        return f"all {len(checks)} checks passed"
    if place == "tables":
        names = [stage.rule.removeprefix("tabulate_") for stage in stages]
        return ", ".join(f"{name.replace('boxes', 'bboxes')}.parquet" for name in names)
    counted = [stage for stage in stages if stage.count and stage.count.images]
    images, nbytes = _totals(counted)
    subjects = ", ".join(stage.subject for stage in counted if stage.subject)
    return f"{shown_number(images)} images, {shown_bytes(nbytes)}: {subjects}".removesuffix(": ") if counted else ""


def _totals(stages: list[Stage]) -> tuple[int, int]:
    """Images and bytes that stages have gone through."""
    counts = [stage.count for stage in stages if stage.count and stage.count.unit == "bytes"]
    return sum(count.images for count in counts), sum(count.done for count in counts)


def _speed(run: Run, seconds: float) -> str:
    """Images and bytes of the rule that went through most of them, in the time of the whole run."""
    stages = list(run.stages.values())
    rules = {stage.rule for stage in stages}
    images, nbytes = max((_totals([it for it in stages if it.rule == rule]) for rule in rules), default=(0, 0))
    if not images:
        return ""
    rates = f"{shown_number(images / seconds)} images/s, {shown_bytes(nbytes / seconds)}/s"
    return f"Speed: {shown_number(images)} images of {shown_bytes(nbytes)}, {rates} over the whole run"


def _odd(made: Mapping[str, list[Stage]], config: Mapping[str, Any], output: Path) -> list[str]:
    """What a user should know of the images and boxes, where their tables are new."""
    lines = []
    rules = {stage.rule for stage in made["tables"]}
    if rules & {"tabulate_images", "tabulate_boxes"}:
        from imagenet_prep.console import oddities  # it reads tables; what that needs is slow to import

        if "tabulate_images" in rules:
            lines.append(oddities.of_images(output / "tables" / "images.parquet", config["tfrecord"]))
        if "tabulate_boxes" in rules:
            lines.append(oddities.of_boxes(output / "tables" / "bboxes.parquet"))
    return lines


def _next(made: Mapping[str, list[Stage]], output: Path) -> list[str]:
    lines = []
    if made["report/index.html"]:
        lines.append(f"Next: open {output}/report/index.html in a browser. It has the code to read each product, too")
    elif any(made[place] for place in ("imagefolder", "tfrecord", "tfrecord_multilabel", "tables")):
        lines.append('Next: README.md has the code to read it, under "Reading it"')
    return lines
