"""What docs/readers.md says of reading the products, and README.md of terms, with the paths of this dataset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import own_splits
from imagenet_prep.engine.step import ALL
from imagenet_prep.errors import PrepError
from imagenet_prep.products.registry import PAGE, PRODUCTS, SPLIT_PRODUCTS

TERMS = "Terms, licence, citation"

# The paths that the code on the page can read, each with the name of its product.
_PRODUCTS = {f"results/{product.path.rstrip('/')}": name for name, product in PRODUCTS.items()}
_PATH = re.compile(r"results/(?:tables/[\w.]+|\w+)")


@dataclass(frozen=True)
class Section:
    """A way of reading; `html` is what stands below its heading."""

    title: str
    html: str


class _Exchange(NamedTuple):
    """A split as the code calls it, and the one that it is to read."""

    written: str
    meant: str


def read_section(text: str, title: str) -> str:
    """The Markdown below the heading `title`, up to the next heading of its level or above; "" if none."""
    heading = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    if heading is None:
        return ""
    rest = _hidden_code(text)[heading.end() :]
    end = re.search(rf"^#{{1,{len(heading[1])}}} ", rest, re.MULTILINE)
    return text[heading.end() :][: end.start() if end else None]


def ways_to_read(readers: Path, config: Mapping[str, Any]) -> list[Section]:
    """The ways of reading on the page `readers` that this dataset has the products for.

    The code reads the first split of the data set; where that is not in use, the next one that shards are made of.
    """
    text = _read(readers)
    there = {*config["products"], *(name for name, _ in PAGE.needs(config, ALL))}
    for name, product in SPLIT_PRODUCTS.items():
        splits = product.splits_in_use(config)
        if splits and all(product.obstacle(config, split) for split in splits):
            there.discard(name)
    found = []
    starts = [match.start() for match in re.finditer(r"^## ", _hidden_code(text), re.MULTILINE)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        title, _, body = text[start:end].partition("\n")
        kept = [part for part in _parts(_parser().parse(body)) if _needed(part) <= there]
        split = _exchange(config, body)
        for block in (token for part in kept for token in part if token.type == "fence"):
            block.content = re.sub(rf"\b{split.written}\b", split.meant, block.content)
            block.content = re.sub(r"\bresults(?=[/ \"])", lambda _: str(config["output_dir"]), block.content)
        if any(token.type == "fence" for part in kept for token in part):
            found.append(Section(title.removeprefix("## "), _render([token for part in kept for token in part])))
    return found


def _exchange(config: Mapping[str, Any], body: str) -> _Exchange:
    """The split to put in, called as the section's code calls splits: by folder or by name."""
    dataset = dataset_of(config)
    first, *others = own_splits(dataset.splits.values())
    in_use = dataset.splits_in_use(config)
    meant = next((split for split in (first, *others) if split in in_use), others[0] if others else first)
    of_folders = [it for it in SPLIT_PRODUCTS.values() if it.place(dataset, first.name) != it.path]
    if any(f"results/{product.path}" in body for product in of_folders):
        return _Exchange(first.folder, meant.folder)
    return _Exchange(first.name, meant.name)


def _parts(tokens: list[Token]) -> list[list[Token]]:
    """Each piece of code with what is said before it; what is said after the last one is a part, too."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        parts[-1].append(token)
        if token.type == "fence":
            parts.append([])
    return parts


def _needed(part: list[Token]) -> set[str]:
    """The products that the code of a part reads."""
    paths = [path for token in part if token.type == "fence" for path in _PATH.findall(token.content)]
    return {_PRODUCTS[path] for path in paths if path in _PRODUCTS}


def terms(readme: Path) -> str:
    """The README's section on terms, licence and citation."""
    return _render(_parser().parse(read_section(_read(readme), TERMS)))


def _read(page: Path) -> str:
    try:
        return page.read_text(encoding="utf-8")
    except FileNotFoundError:
        remedy = "Put it back: the page of the dataset shows what stands in it"
        raise PrepError(page, "the file is missing", remedy) from None


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _render(tokens: list[Token]) -> str:
    for token in tokens:
        token.children = _without_local_links(token.children or [])
    parser = _parser()
    return str(parser.renderer.render(tokens, parser.options, {}))


def _without_local_links(tokens: list[Token]) -> list[Token]:
    """The same text, linked to the web alone: the dataset's page does not lie where the text does."""
    kept, linked = [], True
    for token in tokens:
        if token.type == "link_open":
            linked = str(token.attrs.get("href", "")).startswith("https://")
        if linked or not token.type.startswith("link_"):
            kept.append(token)
    return kept


def _hidden_code(text: str) -> str:
    """The same text, as long, with the signs inside of blocks of code hidden: a comment in a shell is no heading."""
    return re.sub(r"^```.*?^```$", lambda block: re.sub("#", ".", block[0]), text, flags=re.MULTILINE | re.DOTALL)
