"""The picture of the workflow that README.md shows: its steps and products, drawn from the rules' own graph.

`python docs/rulegraph.py` writes it anew; with `--check` it says whether it is the one that stands there.

STEPS says which rules are one box. Every arrow is an edge of `snakemake --rulegraph`, between rules of two boxes. What
a longer way implies is left out: every rule names the receipts that it depends on, however indirectly.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from graphlib import TopologicalSorter
from pathlib import Path

from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.products.registry import PRODUCTS

CHECKOUT = Path(__file__).resolve().parent.parent
README = CHECKOUT / "README.md"
BLOCK = re.compile(r"(?<=```mermaid\n).*?(?=```\n)", re.DOTALL)

# A box: its text, and the rules in it.
STEPS = {
    "archives": ("archives: found or downloaded", ["fetch_archive"]),
    "scan": ("verify and scan: one pass over each archive", ["scan_archive", "verify_archive"]),
    "labels": ("devkit: labels/", ["parse_devkit", "write_labels"]),
    "images": ("images: tables/images.parquet", ["label_images", "tabulate_images"]),
    "boxes": ("boxes: tables/bboxes.parquet", ["parse_boxes", "tabulate_boxes"]),
    "multilabel": ("multi-label: tables/multilabel.parquet", ["tabulate_multilabel"]),
    "archive_index": ("the archive as it is: archive_index/", ["write_archive_index"]),
    "folders": ("class folders: imagefolder/, dinov2/", ["write_imagefolder", "write_dinov2", "describe_dinov2"]),
    "plan": ("plan: which image goes into which shard", ["plan_shards"]),
    "shards": (
        "shards: tfrecord/, webdataset/, parquet/, arrayrecord/",
        [
            *("write_tfrecord", "write_tfrecord_index", "write_tfrecord_multilabel"),
            *("write_webdataset", "write_parquet", "write_arrayrecord"),
            *("describe_tfrecord", "describe_tfrecord_multilabel"),
            *("describe_webdataset", "describe_parquet", "describe_arrayrecord"),
        ],
    ),
    "audit": ("audit: audit.json, SHA256SUMS", ["audit_products", "remove_leftovers", "remove_unused"]),
    "scores": ("scores of models: scores/", ["score_predictions"]),
    "page": ("page: report/", ["draw_samples", "write_page"]),
    "publish": ("copies in a bucket", ["publish_products"]),
}
# Those that ask for what others make.
SCORES = "results/scores/model.json"
TARGETS = {"all", "publish", SCORES}


def rules() -> set[tuple[str, str]]:
    """The edges of the rules' graph, from a rule to one that needs it, where all that can be made is asked for."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "config").symlink_to(CHECKOUT / "config")
        (folder / "predictions").mkdir()
        (folder / "predictions" / "model.npy").touch()
        settings = [f"products=[{', '.join(PRODUCTS)}]", f"use=[{', '.join(ILSVRC2012.archives)}]"]
        command = [sys.executable, "-m", "snakemake", "all", "publish", SCORES]
        command += ["--rulegraph", "dot", "--snakefile", str(CHECKOUT / "Snakefile"), "--directory", place]
        command += ["--config", *settings, f"publish={{url: {folder.as_uri()}/published}}"]
        dot = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r'(\d+)\[label = "([^"]+)"', dot))
    return {(names[first], names[second]) for first, second in re.findall(r"(\d+) -> (\d+)", dot)}


def picture(edges: set[tuple[str, str]]) -> str:
    """The boxes and the edges between them in Mermaid's notation, a line each.

    Args:
        edges: of the rules.

    Raises:
        SystemExit: a rule is in no box, or in two; a box has a rule that is not there, or the boxes form a circle.
    """
    box_of = {rule: box for box, (_, members) in STEPS.items() for rule in members}
    found = {rule for edge in edges for rule in edge} - TARGETS
    if found != box_of.keys() or len(box_of) != sum(len(members) for _, members in STEPS.values()):
        sys.exit(f"STEPS in {Path(__file__).name} and the rules differ: {sorted(found ^ box_of.keys())}")
    needs: dict[str, set[str]] = {box: set() for box in STEPS}
    for first, second in edges:
        if {first, second} <= found and box_of[first] != box_of[second]:
            needs[box_of[second]].add(box_of[first])
    behind: dict[str, set[str]] = {}  # all that a box needs, however indirectly
    for box in TopologicalSorter(needs).static_order():
        behind[box] = needs[box].union(*(behind[it] for it in needs[box]))
    lines = [f'{box}["{text}"]' for box, (text, _) in STEPS.items()]
    for box in STEPS:
        short = needs[box] - set().union(*(behind[it] for it in needs[box]))
        lines += [f"{it} --> {box}" for it in STEPS if it in short]
    return "".join(["flowchart TD\n", *(f"    {line}\n" for line in lines)])


def main(check: bool) -> None:
    """Write the picture into README.md, or exit with 1 if another one stands there."""
    text, graph = README.read_text(encoding="utf-8"), picture(rules())
    if check:
        sys.exit(0 if graph in text else f"the picture in {README.name} is out of date: run python docs/rulegraph.py")
    README.write_text(BLOCK.sub(lambda _: graph, text), encoding="utf-8")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
