"""The tables of README.md, made of results/*.json: `python tables.py` makes them anew, `--check` compares."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import writing

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
RULES = 12  # rules that take longest, of all


def machine(result: dict[str, Any]) -> str:
    """What it was measured on."""
    it = result["machine"]
    return (
        f"{it['cores']} cores of {it['processor']} in a virtual machine, {it['memory_gb']} GB of memory, "
        f"Linux {it['kernel']}, Python {it['python']}.\n"
    )


def costs(result: dict[str, Any]) -> str:
    """A row a program or stage."""
    md5sum = result["costs"]["md5sum"]["wall_s"]
    rows = [
        "| what | wall s | least … largest | user s | system s | / md5sum | MB of memory | MB written |",
        "|---" * 8 + "|",
    ]
    for name, it in result["costs"].items():
        least, largest = it["wall_spread_s"]
        rows.append(
            f"| {name} | {it['wall_s']:.2f} | {least:.2f} … {largest:.2f} | {it['user_s']:.2f} | {it['system_s']:.2f} "
            f"| {it['wall_s'] / md5sum:.2f} | {it['peak_tree_mb']:.0f} | {it['written_mb']:.0f} |"
        )
    return "\n".join(rows) + "\n"


def targets(result: dict[str, Any]) -> str:
    """A row a target."""
    rows = ["| what | at most | measured | |", "|---|---|---|---|"]
    for it in result["targets"]:
        missed = "" if it["met"] else "missed"
        rows.append(f"| {it['what'].strip()} | {it['at_most']:.2f} | {it['measured']:.2f} | {missed} |")
    calls = ", ".join(f"{name} {count}" for name, count in result["calls_per_image"].items())
    return "\n".join(rows) + f"\n\nSystem calls an image, by `strace -c -f`, start-up taken off: {calls}.\n"


def scale(result: dict[str, Any]) -> str:
    """A column a size."""
    runs = result["runs"]
    figures = {
        "whole workflow, wall s": [run["whole"]["wall_s"] for run in runs],
        "whole workflow, user s": [run["whole"]["user_s"] for run in runs],
        "whole workflow, system s": [run["whole"]["system_s"] for run in runs],
        "user µs an image (at most 100)": [run["user_us_per_image"] for run in runs],
        "nested `tar xf`, wall s": [run["nested_tar"]["wall_s"] for run in runs],
        "whole workflow / nested `tar xf` (at most 2.3)": [run["wall_of_nested_tar"] for run in runs],
        "largest process, MB of anonymous memory (at most 1074)": [run["whole"]["peak_process_mb"] for run in runs],
        "planning (`--dry-run`), s": [run["planning"]["wall_s"] for run in runs],
        "run with nothing to do, s (at most 1.6)": [run["nothing_to_do_s"] for run in runs],
        "jobs": [run["jobs"] for run in runs],
    }
    rules = sorted(runs[0]["rules"], key=lambda rule: -float(runs[0]["rules"][rule]["wall_s"]))[:RULES]
    for rule in rules:
        figures[f"`{rule}`: s of all its jobs (MB of the largest)"] = [
            f"{run['rules'][rule]['wall_s']:.0f} ({run['rules'][rule]['peak_mb']:.0f})" for run in runs
        ]
    rows = ["| |" + "".join(f" {run['images']} images |" for run in runs), "|---" * (len(runs) + 1) + "|"]
    rows += [f"| {name} |" + "".join(f" {value} |" for value in values) for name, values in figures.items()]
    return "\n".join(rows) + "\n"


def reading(result: dict[str, Any]) -> str:
    """Images a second by way and case, ratios, and the time from an archive to the end of the first epoch."""
    cases = list(result["epochs"])
    head = f"{' | '.join(cases)} |", "|---" * (len(cases) + 1) + "|"
    rows = [f"| images/s | {head[0]}", head[1]]
    for way in dict.fromkeys(way for of in result["epochs"].values() for way in of):
        found = [of.get(way) for of in result["epochs"].values()]
        rates = [f"{it['images_per_s']:.0f}" if it else "" for it in found]
        rows.append(f"| {way} | {' | '.join(rates)} |")
    rows += ["", f"| ratio of images/s | {head[0]}", head[1]]
    for name in dict.fromkeys(name for of in result["ratios"].values() for name in of):
        ratios = [str(result["ratios"][case].get(name, "")) for case in cases]
        rows.append(f"| {name} | {' | '.join(ratios)} |")
    last = result["epochs"][cases[-1]]
    made = {way: seconds for way, seconds in result["conversion_s"].items() if way in last}
    if made:
        rows += ["", f"| from the archive, then {cases[-1]} | made in s | first batch, s | end of the first epoch, s |"]
        rows.append("|---" * 4 + "|")
    for way, seconds in made.items():
        begun = seconds + last[way]["first_batch_s"]
        times = seconds, begun, begun + result["images"] / last[way]["images_per_s"]
        shown = [f"{it:.1f}" for it in times]
        rows.append(f"| {way} | {' | '.join(shown)} |")
    return "\n".join(rows) + "\n"


def page() -> str:
    """README.md with the tables of the results that are there."""
    bench = json.loads((HERE / "results" / "bench.json").read_text())
    others = json.loads((HERE / "results" / "formats.json").read_text())
    parts = {
        "formats": writing.table(others),
        "machine": machine(bench),
        "costs": costs(bench),
        "targets": targets(bench),
        "scale": scale(json.loads((HERE / "results" / "scale.json").read_text())),
    }
    if (HERE / "results" / "reading.json").is_file():
        parts["reading"] = reading(json.loads((HERE / "results" / "reading.json").read_text()))
    text = README.read_text(encoding="utf-8")
    for name, part in parts.items():
        marked = re.compile(rf"<!-- {name} -->\n.*?<!-- -->\n", re.DOTALL)
        text = marked.sub(lambda _, name=name, part=part: f"<!-- {name} -->\n{part}<!-- -->\n", text)
    return text


if __name__ == "__main__":
    found = page()
    if "--check" in sys.argv[1:]:
        sys.exit(None if found == README.read_text(encoding="utf-8") else "run python benchmarks/tables.py")
    README.write_text(found, encoding="utf-8")
