"""How the page stands on a phone, a tablet and a desk, and what shows that there is more of something."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from project import Project
from report.pages import Browser, find, find_all, picture, resize, show, wait

VIEWS = ("overview", "classes", "scores", "pictures", "odd", "n02119789")
WIDTHS = (390, 820, 1440)

UNFOLD = """
for (let depth = 0; depth < 30; depth++) {
  for (const it of document.querySelectorAll("#tree details")) {
    unfold(dataset.classes.synsets, it);
    it.open = true;
  }
}
for (const it of document.querySelectorAll("main details")) it.open = true;
"""

# Scrolled tables of text, by name; tables of numbers below charts are meant to be scrolled.
SCROLLED = """
return [...document.querySelectorAll(".view.current .scroll")].filter((it) =>
  !it.querySelector(".numbers-of") && (it.scrollWidth > it.clientWidth + 1 || it.scrollHeight > it.clientHeight + 1)
).map((it) => it.getAttribute("aria-label"));
"""

# Rows of tables in which nothing stands over a third of their height, and over more than two lines.
EMPTY = """
const empty = [];
for (const row of document.querySelectorAll(".view.current tbody tr")) {
  if (!row.getClientRects().length) continue;
  const range = document.createRange();
  const { top, bottom } = row.getBoundingClientRect();
  const parts = [...row.querySelectorAll(".thumb")].map((it) => it.getBoundingClientRect());
  for (const cell of row.cells) {
    range.selectNodeContents(cell);
    parts.push(...range.getClientRects());
  }
  const visible = parts.filter((it) => it.width && it.left < document.documentElement.clientWidth && it.right > 0);
  const edges = visible.map((it) => [it.top, it.bottom]).sort((a, b) => a[0] - b[0]);
  let [covered, gap] = [top, 0];
  for (const [from, to] of edges) {
    gap = Math.max(gap, from - covered);
    covered = Math.max(covered, to);
  }
  gap = Math.max(gap, bottom - covered);
  if (gap > 48) empty.push([row.textContent.trim().slice(0, 40), gap]);
}
return empty;
"""


@pytest.fixture(scope="module")
def project(finished: Project) -> Project:
    return finished


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_fits_its_screen_with_all_of_it_unfolded(
    view: str, width: int, browser: Browser, project: Project
) -> None:
    resize(browser, width)
    show(browser, project, view)
    browser.execute_script("if (dataset.classes) { " + UNFOLD + " }")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script(SCROLLED) == [], "all of a table is seen without scrolling to its side"
    assert browser.execute_script(EMPTY) == []


def test_a_class_s_name_takes_few_lines_on_a_phone(browser: Browser, project: Project) -> None:
    resize(browser, 390)
    show(browser, project, "classes")
    lines = "const it = arguments[0]; return new Set([...it.getClientRects()].map((line) => Math.round(line.top))).size"
    names = find_all(browser, "#class-table tbody a")
    assert max(browser.execute_script(lines, name) for name in names) <= 2
    for row in find_all(browser, "#class-table tbody tr"):
        assert row.size["height"] < 200
        assert "tf_label" in browser.execute_script(LABELS, row)


LABELS = """
return [...arguments[0].cells].map((cell) => getComputedStyle(cell, "::before").content).join(" ");
"""


@pytest.mark.parametrize(("width", "most"), [(390, 0.33), (820, 0.33), (1440, 0.2)])
def test_the_tree_s_rails_leave_room_for_its_names(width: int, most: float, browser: Browser, project: Project) -> None:
    resize(browser, width)
    show(browser, project, "classes")
    wait(browser, lambda: find_all(browser, "#tree li"))
    browser.execute_script(UNFOLD)
    start = find(browser, "#tree").rect["x"]
    assert max(it.rect["x"] - start for it in find_all(browser, "#tree .leaf a")) <= most * width


def test_classes_and_the_tree_stand_in_the_page_and_do_not_scroll_in_it(browser: Browser, project: Project) -> None:
    for width in WIDTHS:
        resize(browser, width)
        show(browser, project, "classes")
        wait(browser, lambda: find_all(browser, "#tree li"))
        browser.execute_script(UNFOLD)
        for selector in ("#tree", "#class-table"):
            higher = "let it = arguments[0]; do if (it.scrollHeight > it.clientHeight + 1) return it.outerHTML; "
            within = higher + "while ((it = it.parentElement) && it.id !== 'main')"
            assert browser.execute_script(within, find(browser, selector)) is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_scrolls_inside_the_page_has_a_shadow_where_there_is_more(
    scheme: str, browser: Browser, project: Project
) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    resize(browser, 390)
    show(browser, project, "pictures")
    browser.execute_script(UNFOLD)
    place = find(browser, ".low:has(.dense)")
    alone = "arguments[0].scrollIntoView({block: 'center'}); arguments[0].style.scrollbarWidth = 'none'"
    browser.execute_script(alone, place)

    def brightness() -> dict[str, float]:
        seen = picture(place).mean(axis=2)
        return {"right": float(np.median(seen[60:-60, -4])), "bottom": float(np.median(seen[-4, 60:-60]))}

    more = brightness()
    browser.execute_script("arguments[0].scrollTo(1e6, 1e6)", place)
    all_seen = brightness()
    for side, value in more.items():
        assert value < all_seen[side] - 4, side
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_a_phone_that_is_turned_gets_its_tables_back(browser: Browser, project: Project, tmp_path: Path) -> None:
    resize(browser, 390)
    show(browser, project, "overview")
    head = find(browser, "table.products thead")
    assert head.size["height"] <= 1
    resize(browser, 844)
    wait(browser, lambda: head.size["height"] > 10)
