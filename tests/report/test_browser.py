"""The page in a real browser, opened from the disk as a reader does it."""

from __future__ import annotations

import base64
import io
import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from imagenet_prep.synthetic.drawing import background_color, object_color
from project import SMALL, Project
from report.pages import (
    PHONE,
    Browser,
    await_view,
    browsing,
    classes_below,
    find,
    find_all,
    found_by,
    kit_fox,
    picture,
    show,
    wait,
)

VIEWS = ("overview", "classes", "pictures", "odd", "n02119789")


@pytest.fixture(scope="module")
def project(finished: Project) -> Project:
    """The finished project, to look at."""
    return finished


@pytest.fixture
def browser(browser: Browser, project: Project) -> Browser:
    """The page, freshly opened."""
    show(browser, project, "overview")
    return browser


@pytest.mark.parametrize("key", ["wnid", "class_index", "tf_label", "ilsvrc2012_id"])
def test_search_finds_the_kit_fox_by_each_of_its_numbers(key: str, browser: Browser, project: Project) -> None:
    show(browser, project, "classes")
    number = str(kit_fox(project)[key])
    found = found_by(browser, number)
    assert number in found["n02119789"]
    assert all(cells for cells in found.values()), "each class that is shown has that number in some numbering"


@pytest.mark.parametrize("query", ["kit fox", "KIT FOX", "kit", "vulpes macrotis"])
def test_search_finds_the_kit_fox_by_its_words(query: str, browser: Browser, project: Project) -> None:
    show(browser, project, "classes")
    assert found_by(browser, query).keys() == {"n02119789"}


def test_search_says_how_many_classes_it_found_and_that_there_is_none(browser: Browser, project: Project) -> None:
    show(browser, project, "classes")
    assert "n02119789" in found_by(browser, "fox")
    assert find(browser, "#found").text.startswith("1 class")
    assert found_by(browser, "no such animal") == {}
    assert find(browser, "#found").text.startswith("No class")
    assert len(found_by(browser, " ")) == SMALL["synthetic"]["classes"]


def test_a_class_is_reached_by_keyboard_from_the_search(browser: Browser, project: Project) -> None:
    show(browser, project, "classes")
    found_by(browser, "n02119789")
    find(browser, "#query").send_keys(Keys.ENTER)
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    await_view(browser, "n02119789")
    assert browser.switch_to.active_element.text == kit_fox(project)["words"]


def test_the_tree_folds_out_by_keyboard_down_to_a_class_with_its_counts(browser: Browser, project: Project) -> None:
    tree = json.loads((project.results / "labels" / "hierarchy.json").read_text())
    show(browser, project, "classes")
    wait(browser, lambda: find_all(browser, "#tree li"))
    place, node = find(browser, "#tree > ul > li"), tree
    while node["class_index"] is None:
        fold = find(place, "details")
        summary = find(fold, "summary")
        assert node["words"] in summary.text
        assert f"{len(classes_below(node))} classes" in summary.text
        if not fold.get_property("open"):
            summary.send_keys(Keys.ENTER)
            wait(browser, lambda fold=fold: fold.get_property("open") and find_all(fold, "ul"))
        children = find_all(fold, ":scope > ul > li")
        assert len(children) == len(node["children"])
        position = next(i for i, child in enumerate(node["children"]) if "n02119789" in classes_below(child))
        place, node = children[position], node["children"][position]
    find(place, "a").click()
    await_view(browser, "n02119789")


def test_a_class_shows_its_numbers_gloss_and_place_and_leads_to_the_tree(browser: Browser, project: Project) -> None:
    show(browser, project, "n02119789")
    row = kit_fox(project)
    numbers = {find(it, "dt").text: find(it, "dd").text for it in find_all(browser, ".numbers div")}
    shown = [
        numbers["WNID"],
        *(text for name, text in numbers.items() if name.startswith(("index", "tf_label", "ILSV"))),
    ]
    assert shown == [str(row[key]) for key in ("wnid", "class_index", "tf_label", "ilsvrc2012_id")]
    assert numbers["train images"] == str(row["num_train_images"])
    synsets = pd.read_parquet(project.results / "labels" / "synsets.parquet").set_index("wnid")
    assert find(browser, "#class-body .lead").text == synsets.loc["n02119789", "gloss"]
    find(browser, ".ways a").click()
    await_view(browser, "classes")
    wait(browser, lambda: browser.switch_to.active_element.text == row["words"])


def test_boxes_lie_on_the_objects_that_are_drawn_on_the_images(browser: Browser, project: Project) -> None:
    classes = pd.read_csv(project.results / "labels" / "classes.csv")
    images = pd.read_parquet(project.results / "tables" / "images.parquet").set_index("filename")
    seen = 0
    for row in classes.to_dict("records"):
        show(browser, project, row["wnid"])
        for figure in find_all(browser, ".samples figure"):
            image = images.loc[figure.find_element(By.TAG_NAME, "figcaption").text.splitlines()[0]]
            thumb = find(figure, ".thumb")
            boxes = find_all(thumb, "rect")
            if not boxes or image.colorspace == "Grayscale":
                continue
            browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", thumb)
            wait(browser, lambda thumb=thumb: find(thumb, "img").get_property("complete"))
            edges = [browser.execute_script(SIDES, box) for box in boxes]
            browser.execute_script("arguments[0].style.visibility = 'hidden'", find(thumb, "svg"))
            # Objects are dark, in the opposite colour of their pale background; in between is the blur of their edges.
            shown = picture(thumb)
            to_object, to_ground = (
                np.abs(shown - np.array(color(row["class_index"]))).sum(axis=2)
                for color in (object_color, background_color)
            )
            drawn, outside = to_object < to_ground, to_object < 150  # the caption is black, and no object
            for left, top, right, bottom in edges:
                inside = drawn[round(top) : round(bottom), round(left) : round(right)]
                ys, xs = np.nonzero(inside)
                assert xs.min() <= 4, "the object touches each side of its box"
                assert ys.min() <= 4
                assert xs.max() >= inside.shape[1] - 5
                assert ys.max() >= inside.shape[0] - 5
                outside[max(0, round(top) - 3) : round(bottom) + 3, max(0, round(left) - 3) : round(right) + 3] = False
                seen += 1
            if image.split == "validation":  # where each object has a box
                assert outside.mean() < 0.01
    assert seen >= 10


SIDES = """
const [box, thumb] = [arguments[0].getBoundingClientRect(), arguments[0].closest(".thumb").getBoundingClientRect()];
return [box.left - thumb.left, box.top - thumb.top, box.right - thumb.left, box.bottom - thumb.top];
"""


def test_charts_tell_the_values_under_the_pointer(browser: Browser, project: Project) -> None:
    show(browser, project, "pictures")
    for chart in find_all(browser, "figure.chart .uplot"):
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", chart)
        values = find_all(chart, ".u-value")
        assert not any(sign.isdigit() for it in values for sign in it.text)
        webdriver.ActionChains(browser).move_to_element(find(chart, ".u-over")).move_by_offset(3, 3).perform()
        wait(browser, lambda values=values: all(any(sign.isdigit() for sign in it.text) for it in values[:2]))
    cell = find(browser, ".map rect title")
    assert cell.get_attribute("textContent").endswith("of the boxes")


def test_the_times_of_the_run_are_told(browser: Browser, project: Project) -> None:
    assert "UTC" in find(browser, "#run dd").text
    show(browser, project, "pictures")
    rows = {find(row, "th").text: row.text for row in find_all(browser, "#stages tbody tr")}
    assert "/s" in rows["scan archive"]
    assert rows.keys() >= {"write tfrecord", "audit products"}


def test_no_request_leaves_the_page_and_the_console_stays_empty(project: Project, tmp_path: Path) -> None:
    with browsing(tmp_path / "profile") as browser:
        for view in VIEWS:
            show(browser, project, view)
            browser.execute_script("for (const it of document.images) it.loading = 'eager'")
            wait(browser, lambda: browser.execute_script("return [...document.images].every((it) => it.complete)"))
        messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        console = browser.get_log("browser")
    asked = {it["params"]["request"]["url"] for it in messages if it["method"] == "Network.requestWillBeSent"}
    folder = (project.results / "report").as_uri()
    assert any("/samples-00.webp" in url for url in asked)
    own = (folder, "data:", "about:", "chrome://")  # the last are parts of the browser itself, in its first tab
    assert [url for url in asked if not url.startswith(own)] == []
    assert console == []


@pytest.mark.parametrize("view", VIEWS)
def test_no_view_is_wider_than_a_phone(view: str, project: Project, tmp_path: Path) -> None:
    with browsing(tmp_path / "profile", PHONE) as browser:
        show(browser, project, view)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= PHONE[0]
        assert find(browser, ".view.current h1").is_displayed()


def test_the_page_is_dark_where_the_reader_wants_that(browser: Browser, project: Project) -> None:
    def ground() -> float:
        browser.execute_script("scrollTo(0, 0)")
        png = base64.b64decode(browser.get_screenshot_as_base64())
        return float(np.median(np.asarray(Image.open(io.BytesIO(png)).convert("L"))))

    for scheme, is_dark in (("light", False), ("dark", True)):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        assert (ground() < 60) == is_dark
        assert (ground() > 200) != is_dark
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_without_scripts_the_essentials_are_there(project: Project, tmp_path: Path) -> None:
    with browsing(tmp_path / "profile", scripts=False) as browser:
        browser.get((project.results / "report" / "index.html").as_uri())
        text = find(browser, "main").text
        rows = find_all(browser, "#class-table tbody tr")
        assert len(rows) == SMALL["synthetic"]["classes"]
        assert all(row.is_displayed() for row in rows)
        assert find(browser, "noscript").size["height"] > 0
        assert all(it.is_displayed() for it in find_all(browser, "table.odd .thumb"))
    for heading in ("Splits", "The audit", "Archives", "How to read it", "Odd images", "Terms, licence, citation"):
        assert heading in text
    assert "Search by word" not in text


def test_what_is_printed_is_black_on_white_and_has_its_pictures(browser: Browser, project: Project) -> None:
    show(browser, project, "n02119789")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not find(browser, "nav").is_displayed()
    assert find(browser, ".samples .thumb").is_displayed()
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    pdf = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert pdf.startswith(b"%PDF")
    assert b"/Subtype /Image" in pdf


def test_all_that_can_be_used_has_a_name_and_shows_the_focus(browser: Browser, project: Project) -> None:
    for view in VIEWS:
        show(browser, project, view)
        for element in find_all(browser, "a, summary, input, [tabindex='0'], [role='img']"):
            if element.is_displayed():
                assert element.accessible_name, element.get_attribute("outerHTML")[:200]
        levels = [int(it.tag_name[1]) for it in find_all(browser, "h1, h2, h3") if it.is_displayed()]
        assert levels[0] == 1
        assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    find(browser, "nav a").send_keys("")
    style = "return getComputedStyle(document.activeElement).outlineStyle"
    browser.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.execute_script(style) == "solid"
