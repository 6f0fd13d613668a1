"""What all products share knows splits and products by their declarations: no name of one stands in its sources."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.products.registry import ALL_PRODUCTS, SPLIT_PRODUCTS, STEPS

PACKAGES = ("report", "console", "engine", "products/audit")
OWN = {"audit_report.py", "table_steps.py"}  # what declares a product, or steps


def declared() -> set[str]:
    """The names of splits, archives, products and rules, and of the folders that they lie in."""
    names = {it.name for it in ALL_PRODUCTS} | {step.rule for step in STEPS.values() if step.rule}
    names |= {part for it in ALL_PRODUCTS for part in it.path.split("/") if part}
    names |= {*ILSVRC2012.archives, *ILSVRC2012.splits, *(split.folder for split in ILSVRC2012.splits.values())}
    names |= {split for it in SPLIT_PRODUCTS.values() for split in it.splits(ILSVRC2012)}
    return names - {"index.html", "parquet"}  # a file of any page, and what tables are, too


def texts(module: Path) -> Iterator[tuple[int, str]]:
    """Line and content of each text in quotes."""
    source = module.read_text(encoding="utf-8")
    if module.suffix == ".py":
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.lineno, node.value
    else:
        for number, line in enumerate(source.splitlines(), 1):
            yield from ((number, text) for _, text in re.findall(r"""(["'`])(.*?)\1""", line))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_name_of_a_split_or_a_product_stands_in_the_sources(package: str, checkout: Path) -> None:
    folder = checkout / "workflow" / "imagenet_prep" / package
    sources = [it for it in folder.rglob("*") if it.suffix in (".py", ".js", ".jinja")]
    modules = [it for it in sources if "uPlot" not in it.name and it.name not in OWN]
    assert modules
    names = declared()
    found = [
        f"{module.name}:{line}: {text}"
        for module in modules
        for line, text in texts(module)
        if names & set(text.split("/"))
    ]
    assert found == []
