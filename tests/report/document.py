"""The page as a reader of HTML sees it: its elements, what it loads, and its tables."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "input", "br"}


class Document(HTMLParser):
    """The text of each table's rows below its headings, the addresses of what is loaded, and what was not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.loaded: list[str] = []
        self.open: list[str] = []
        self._heading = ""
        self._cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("script", "link", "img"):
            self.loaded += [given[name] or "" for name in ("src", "href") if given.get(name)]
        if tag in ("h2", "h3"):
            self._heading = ""
        if tag == "tr":
            self.tables.setdefault(self._heading.strip(), []).append([])
        if tag in ("td", "th"):
            self.tables[self._heading.strip()][-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in ("td", "th"):
            self._cell = False

    def handle_data(self, data: str) -> None:
        if {"h2", "h3"} & {*self.open}:
            self._heading += data
        if self._cell:
            self.tables[self._heading.strip()][-1][-1] += " ".join(data.replace("\u202f", "").split())


def table(document: Document, heading: str) -> Iterator[dict[str, str]]:
    """The rows of the table below a heading, by column."""
    head, *rows = document.tables[heading]
    return (dict(zip(head, row, strict=True)) for row in rows)
