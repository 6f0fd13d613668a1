"""What the README says of reading the products, and of terms and citation, with the paths of this dataset."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

READING = "Reading it"
TERMS = "Terms, licence, citation"

# What a piece of code reads, and the product that it is a part of.
_PRODUCTS = {
    "results/imagefolder": "imagefolder",
    "results/tfrecord": "tfrecords",
    "results/tfrecord_index": "indexes",
    "results/tfrecord_multilabel": "multilabel_tfrecords",
    "results/tables/bboxes.parquet": "bboxes",
    "results/tables/multilabel.parquet": "multilabel",
}
_PATH = re.compile(r"results/(?:tables/[\w.]+|\w+)")


@dataclass(frozen=True)
class Section:
    """A part of the README; `html` is what stands below its heading."""

    title: str
    html: str


def read_section(readme: str, title: str) -> str:
    """The Markdown below the heading `title`, of any level, up to the next heading of its level or above; "" if none."""
    heading = re.search(rf"^(#+) {re.escape(title)}$", readme, re.MULTILINE)
    if heading is None:
        return ""
    rest = _hidden_code(readme)[heading.end() :]
    end = re.search(rf"^#{{1,{len(heading[1])}}} ", rest, re.MULTILINE)
    return readme[heading.end() :][: end.start() if end else None]


def ways_to_read(readme: Path, output_dir: str, products: Collection[str], splits: Collection[str]) -> list[Section]:
    """The README's ways of reading that this dataset has the products for.

    Where there is no training set, the code reads the validation set.
    """
    text = read_section(readme.read_text(encoding="utf-8"), READING)
    found = []
    starts = [match.start() for match in re.finditer(r"^#### ", _hidden_code(text), re.MULTILINE)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        title, _, body = text[start:end].partition("\n")
        tokens = _parser().parse(body)
        blocks = [token for token in tokens if token.type == "fence"]
        needed = {_PRODUCTS[path] for block in blocks for path in _PATH.findall(block.content) if path in _PRODUCTS}
        if not needed <= set(products):
            continue
        for block in blocks:
            if "train" not in splits:
                folders = "imagefolder" in block.content or "ImageNet(" in block.content
                block.content = re.sub(r"\btrain\b", "val" if folders else "validation", block.content)
            block.content = re.sub(r"\bresults(?=[/ ])", output_dir.replace("\\", r"\\"), block.content)
        found.append(Section(title.removeprefix("#### "), _render(tokens)))
    return found


def terms(readme: Path) -> str:
    """The README's section on terms, licence and citation."""
    return _render(_parser().parse(read_section(readme.read_text(encoding="utf-8"), TERMS)))


def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _render(tokens: list[Token]) -> str:
    for token in tokens:
        for link in token.children or []:
            if link.type == "link_open" and not str(link.attrs.get("href", "")).startswith("https://"):
                link.attrs.pop("href")  # to another place of the checkout, where the page does not lie
    return _parser().renderer.render(tokens, _parser().options, {})


def _hidden_code(text: str) -> str:
    """The same text, as long, with the signs inside of blocks of code hidden: a comment in a shell is no heading."""
    return re.sub(r"^```.*?^```$", lambda block: re.sub("#", ".", block[0]), text, flags=re.MULTILINE | re.DOTALL)
