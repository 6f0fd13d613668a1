"""The graph of the rules as README.md shows it, made from the workflow itself.

`python docs/rulegraph.py` writes it anew; with `--check` it says whether it is the one that stands there.

Edges that a longer way implies are left out: every rule names the receipts that it depends on, however indirectly.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
README = CHECKOUT / "README.md"
BLOCK = re.compile(r"(?<=```mermaid\n).*?(?=```\n)", re.DOTALL)


def mermaid() -> str:
    """The graph in Mermaid's notation, a line an edge."""
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "dot"]
    dot = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r'(\d+)\[label = "(\w+)"', dot))
    edges = {(names[first], names[second]) for first, second in re.findall(r"(\d+) -> (\d+)", dot)}
    after: dict[str, set[str]] = {}
    for first, second in edges:
        after.setdefault(first, set()).add(second)
    short = sorted((a, b) for a, b in edges if not any(b in _reachable(after, c) for c in after[a] - {b}))
    return "".join(["flowchart TD\n", *(f"    {first} --> {second}\n" for first, second in short)])


def _reachable(after: dict[str, set[str]], start: str) -> set[str]:
    found, waiting = set(), [start]
    while waiting:
        for name in after.get(waiting.pop(), set()) - found:
            found.add(name)
            waiting.append(name)
    return found


def main(check: bool) -> None:
    """Write the graph into README.md, or exit with 1 if another one stands there."""
    text, graph = README.read_text(encoding="utf-8"), mermaid()
    found = BLOCK.sub(lambda _: graph, text)
    if check:
        sys.exit(0 if graph in text else f"the graph in {README.name} is out of date: run python docs/rulegraph.py")
    README.write_text(found, encoding="utf-8")


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
