"""The last lines of a run: what was made, where, how fast, what is odd in it, what to do next; or how far it came."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from imagenet_prep import commands
from imagenet_prep.console.display import STARTING
from imagenet_prep.console.stages import Run, Stage, State
from imagenet_prep.products import score_text
from imagenet_prep.products.product import Product, SplitProduct
from imagenet_prep.products.registry import (
    ALL_PRODUCTS,
    AUDIT,
    BBOXES,
    IMAGE_TABLE,
    PAGE,
    PUBLISHED,
    SCORES,
    SHARDED_PRODUCTS,
    left_out,
)
from imagenet_prep.progress import shown_bytes, shown_number, shown_time


def of_success(run: Run, seconds: float, config: Mapping[str, Any], snakemake_log: str) -> str:
    """The last lines of a run that ended well.

    Of each product that the run made or audited, they say all that is in it, also what an earlier run has made.

    Args:
        run: the run.
        seconds: how long it took.
        config: the configuration, complete.
        snakemake_log: the file that holds all that Snakemake said.
    """
    output, jobs = Path(config["output_dir"]), run.done
    rows = [("", f"Done: {jobs} {'job' if jobs == 1 else 'jobs'} in {shown_time(seconds)}")]
    stages = list(run.stages.values())
    made = [product for product in ALL_PRODUCTS if _stages_of(product.rule, stages)]
    told: dict[str, list[str]] = {}
    audited = AUDIT.audited(config) if AUDIT in made else []
    for product in (it for it in ALL_PRODUCTS if it in made or it in audited):
        told.setdefault(product.shown_at, []).append(_content(product, _stages_of(product.rule, stages), config))
    scores = _scores(_stages_of(SCORES.rule, stages), output / SCORES.path)
    told |= {f"{SCORES.path}{model}.json": [score_text.in_a_line(of_model)] for model, of_model in scores.items()}
    rows += [(commands.typed(output / place), ", ".join(filter(None, texts))) for place, texts in told.items()]
    if config["publish"]["url"] and _stages_of(PUBLISHED.rule, stages):
        rows.append((config["publish"]["url"], "published"))
    remarks = [line for of_model in scores.values() for line in score_text.remarks(of_model)]
    notes = (_speed(stages, seconds, jobs), *_odd(made, config), *left_out(config, audited), *_next(made, output))
    rows += [("", line) for line in (*remarks, *notes) if line]
    return "\n".join(["", *_aligned(rows), _own_log(snakemake_log)])


def of_failure(run: Run, seconds: float, snakemake_log: str) -> str:
    """The line of a run that failed: how far it came. The causes are said after it."""
    counts = {"failed": run.number(State.FAILED), "interrupted": run.number(State.INTERRUPTED)}
    what = ", ".join(f"{count} {how}" for how, count in counts.items() if count) or "the run was ended"
    took = shown_time(seconds)
    return f"\n{run.done} of {run.total} jobs done in {took}, {what}. {_own_log(snakemake_log)}"


def _own_log(path: str) -> str:
    return f"Snakemake's own log: {commands.typed(path)}"


def _aligned(rows: list[tuple[str, str]]) -> list[str]:
    width = max(len(place) for place, _ in rows)
    return [f"  {place:{width}}  {text}".rstrip() if place else text for place, text in rows]


def _stages_of(rule: str, stages: Iterable[Stage]) -> list[Stage]:
    return [stage for stage in stages if stage.rule == rule]


def _scores(stages: Iterable[Stage], folder: Path) -> dict[str, dict[str, Any]]:
    """The scores that were made, by the name of the model."""
    paths = {stage.subject: folder / f"{stage.subject}.json" for stage in stages}
    return {model: json.loads(path.read_text(encoding="utf-8")) for model, path in sorted(paths.items())}


def _content(product: Product, stages: Iterable[Stage], config: Mapping[str, Any]) -> str:
    """The images in a product, else those that its stages have gone through, else what the product says was made."""
    if images := _images_in(product, config):
        return images
    counted = sorted((stage for stage in stages if stage.count and stage.count.images), key=lambda it: it.subject)
    if not counted:
        return product.made(config)
    count, nbytes = _totals(counted)
    return _images(count, nbytes, [stage.subject for stage in counted if stage.subject])


def _images_in(product: Product, config: Mapping[str, Any]) -> str:
    """The images in a product that is cut by split; "" for others, and where there is no table of images."""
    table = Path(config["output_dir"], IMAGE_TABLE.path)
    if not isinstance(product, SplitProduct) or not product.goes_through_images or not table.is_file():
        return ""
    from imagenet_prep.console import table_notes  # it reads tables; what that needs is slow to import

    splits = [split for split in product.splits_in_use(config) if product.existing(config, split)]
    if any(product.split_of_images(config, split) != split for split in splits):  # it has a part of their images
        return product.content(config, {})[0]
    counts = {split: count for split, count in sorted(table_notes.by_split(table).items()) if split in splits}
    if not counts:
        return ""
    return _images(sum(it[0] for it in counts.values()), sum(it[1] for it in counts.values()), counts)


def _images(count: int, nbytes: int, subjects: Iterable[str]) -> str:
    return f"{shown_number(count)} images, {shown_bytes(nbytes)}: {', '.join(subjects)}".removesuffix(": ")


def _totals(stages: Iterable[Stage]) -> tuple[int, int]:
    """Images and bytes that stages have gone through."""
    counts = [stage.count for stage in stages if stage.count and stage.count.unit == "bytes"]
    return sum(count.images for count in counts), sum(count.done for count in counts)


def _speed(stages: Collection[Stage], seconds: float, jobs: int) -> str:
    """Images and bytes of the rule that went through most of them, in the time of the whole run.

    "" where most of the time was spent on starting jobs, as in the demo: such a rate says nothing of the real set.
    """
    images, nbytes = max(
        (_totals(_stages_of(rule, stages)) for rule in {stage.rule for stage in stages}), default=(0, 0)
    )
    if not images or nbytes < jobs * STARTING:
        return ""
    rates = f"{shown_number(images / seconds)} images/s, {shown_bytes(nbytes / seconds)}/s"
    return f"Speed: {shown_number(images)} images of {shown_bytes(nbytes)}, {rates} over the whole run"


def _odd(made: Collection[Product], config: Mapping[str, Any]) -> list[str]:
    """Lines about odd images and boxes, where this run has made their tables."""
    lines = []
    if IMAGE_TABLE in made or BBOXES in made:
        from imagenet_prep.console import table_notes  # it reads tables; what that needs is slow to import

        if IMAGE_TABLE in made:
            in_shards = any(name in config["products"] for name in SHARDED_PRODUCTS)
            path = Path(config["output_dir"], IMAGE_TABLE.path)
            lines.append(table_notes.of_images(path, config["shards"] if in_shards else {}))
        if BBOXES in made:
            lines.append(table_notes.of_boxes(Path(config["output_dir"], BBOXES.path)))
    return lines


def _next(made: Collection[Product], output: Path) -> list[str]:
    lines = []
    if PAGE in made:
        lines.append(
            f"Next: open {commands.typed(output / PAGE.path)} in a browser. It has the code to read each product, too"
        )
    elif any(product.is_audited and product.is_target for product in made):
        lines.append("Next: docs/readers.md has the code to read it")
    return lines
