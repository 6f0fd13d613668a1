"""Finding one's way on the page: search, contents, links, buttons that copy, classes that are called the same."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest
from selenium.webdriver.common.keys import Keys

from project import Project
from report.pages import PHONE, WIDE, Browser, await_view, find, find_all, found_by, resize, show, wait

VIEWS = ("overview", "classes", "scores", "pictures", "odd", "n02119789")


@pytest.fixture(scope="module")
def project(finished: Project) -> Project:
    return finished


def test_the_search_names_every_number_that_it_looks_for(browser: Browser, project: Project) -> None:
    show(browser, project, "classes")
    label = find(browser, "label[for=query]").text
    for name in ("word", "WNID", "index", "tf_label", "devkit ID"):
        assert name in label


def test_whole_words_are_found_before_parts_of_words(browser: Browser, project: Project) -> None:
    show(browser, project, "classes")
    classes = pd.read_csv(project.results / "labels" / "classes.csv")
    words = classes["words"].str.lower()
    word, part = "crane", "cran"
    assert found_by(browser, word).keys() == set(classes.loc[words == word, "wnid"])
    assert found_by(browser, part).keys() == set(classes.loc[words.str.contains(part), "wnid"])
    assert found_by(browser, "fox").keys() == {"n02119789"}
    assert found_by(browser, "kit_fox").keys() == {"n02119789"}
    assert found_by(browser, "(").keys() == set()


def test_classes_that_are_called_the_same_are_told_apart_by_what_they_are(browser: Browser, project: Project) -> None:
    synsets = pd.read_parquet(project.results / "labels" / "synsets.parquet").set_index("wnid")
    classes = pd.read_csv(project.results / "labels" / "classes.csv")
    for size in (WIDE, PHONE):
        resize(browser, *size)
        show(browser, project, "classes")
        for row in find_all(browser, "#class-table tbody tr"):
            wnid = find(row, "td").text
            assert find(row, "th .gloss").text == synsets.loc[wnid, "gloss"]
            assert find(row, "th .gloss").is_displayed()
    resize(browser, *WIDE)
    cranes = classes.loc[classes["words"] == "crane", "wnid"]
    wait(browser, lambda: find_all(browser, "#tree li"))
    for wnid in cranes:
        show(browser, project, wnid)
        find(browser, ".ways a").click()
        await_view(browser, "classes")
        wait(browser, lambda: find_all(browser, "#tree .leaf"))
        leaf = find(browser, f'#tree a[href="#{wnid}"]').find_element("xpath", "..")
        wait(browser, lambda leaf=leaf: leaf.is_displayed())
        if len(cranes) > 1:
            assert synsets.loc[wnid, "gloss"] in leaf.text


@pytest.mark.parametrize("view", ["overview", "classes", "pictures", "odd"])
def test_a_view_begins_with_a_list_of_what_is_in_it(view: str, browser: Browser, project: Project) -> None:
    resize(browser, *PHONE)
    show(browser, project, view)
    links = find_all(browser, f"#{view} .contents a")
    titles = [it.text for it in links]
    headings = [it.text.split("\n")[0] for it in find_all(browser, f"#{view} h2") if it.is_displayed()]
    assert len(titles) > 1
    assert all(heading.startswith(title) for heading, title in zip(headings, titles, strict=True))
    for name in [link.get_attribute("href").partition("#")[2] for link in links]:
        show(browser, project, view)
        find(browser, f'#{view} .contents a[href="#{name}"]').click()
        wait(browser, lambda name=name: browser.switch_to.active_element.get_attribute("id") == name)
        assert find(browser, ".view.current").get_attribute("id") == view
        assert 0 <= browser.execute_script("return document.activeElement.getBoundingClientRect().top") < 844
    resize(browser, *WIDE)


def test_the_address_of_a_place_leads_there_in_another_view(browser: Browser, project: Project) -> None:
    browser.get("about:blank")
    browser.get((project.results / "report" / "index.html").as_uri() + "#pictures-shards")
    await_view(browser, "pictures")
    top = "return document.getElementById('pictures-shards').getBoundingClientRect().top"
    wait(browser, lambda: 0 <= browser.execute_script(top) < 300)
    assert find(browser, ".top [aria-current]").text == "Charts"


def test_all_links_out_of_the_page_lead_to_files_that_are_there(browser: Browser, project: Project) -> None:
    links = set()
    for view in VIEWS:
        show(browser, project, view)
        links |= {it.get_attribute("href") for it in find_all(browser, "main a") if it.get_attribute("href")}
    paths = {Path(unquote(urlsplit(link).path)) for link in links if link.startswith("file:")}
    outside = {path for path in paths if path.parent != project.results / "report"}
    assert all(path.exists() for path in outside)
    wanted = ("audit.json", "SHA256SUMS", "tables/images.parquet", "tables/bboxes.parquet", "labels", "tfrecord")
    assert outside >= {project.results / name for name in wanted}


def test_code_checksums_and_wnids_can_be_copied(browser: Browser, project: Project) -> None:
    def pasted() -> str:
        browser.execute_script("location.hash = 'classes'")
        await_view(browser, "classes")
        area = find(browser, "#query")
        area.clear()
        area.send_keys(Keys.CONTROL, "v")
        return str(area.get_property("value"))

    show(browser, project, "overview")
    row = find(browser, "table:has(.copied) tbody tr")
    checksum = find(row, ".copied").text
    find(row, "button").click()
    wait(browser, lambda: "done" in find(row, "button").get_attribute("class"))
    assert find(row, "button").accessible_name.startswith("Copy ")
    assert pasted() == checksum
    show(browser, project, "n02119789")
    find(browser, ".numbers button").click()
    assert pasted() == "n02119789"
    show(browser, project, "overview")
    summary = find(browser, "details.reading summary")
    summary.click()
    block = find(browser, "details[open] .code")
    code = find(block, "pre").text
    find(block, "button").click()
    assert pasted().split() == code.split()


def test_from_far_down_a_button_leads_back_to_the_top(browser: Browser, project: Project) -> None:
    resize(browser, *PHONE)
    show(browser, project, "overview")
    assert not find(browser, ".up").is_displayed()
    browser.execute_script("scrollTo(0, 5000)")
    wait(browser, lambda: find(browser, ".up").is_displayed())
    find(browser, ".up").click()
    wait(browser, lambda: browser.execute_script("return scrollY") == 0)
    resize(browser, *WIDE)
