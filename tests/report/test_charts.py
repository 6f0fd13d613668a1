"""The charts: what they draw is what their tables say, and nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from selenium import webdriver
from selenium.webdriver.remote.webelement import WebElement

from project import Project
from report.pages import Browser, find, find_all, picture, show, wait


@pytest.fixture(scope="module")
def project(finished: Project) -> Project:
    return finished


@pytest.fixture(scope="module")
def browser(browser: Browser, project: Project) -> Browser:
    """The page with its charts."""
    show(browser, project, "pictures")
    return browser


def table_of(browser: Browser, figure: WebElement) -> pd.DataFrame:
    """The numbers of a chart, as a reader unfolds them."""
    details = find(figure, "details")
    if not details.get_property("open"):
        find(details, "summary").click()
    wait(browser, lambda: find_all(details, "tbody tr"))
    script = "return [...arguments[0].querySelectorAll('tr')].map((row) => [...row.cells].map((it) => it.textContent))"
    head, *rows = browser.execute_script(script, details)
    return pd.DataFrame(rows, columns=head)


def series(browser: Browser, plot: WebElement) -> str:
    return find(plot, ".u-series + .u-series .u-label").text.rstrip(":")


def values_at(browser: Browser, plot: WebElement, share: float) -> tuple[str, str]:
    """What a chart says under the pointer, that far from its left side: the place, and the value."""
    over = find(plot, ".u-over")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", over)
    aside = round((share - 0.5) * over.size["width"])
    webdriver.ActionChains(browser).move_to_element_with_offset(over, aside, 0).perform()
    cells = find_all(plot, ".u-value")
    wait(browser, lambda: cells[0].text != "\u2013")
    return cells[0].text, cells[1].text


def figures(browser: Browser) -> list[WebElement]:
    return find_all(browser, "figure.chart")


def test_every_chart_has_its_numbers_as_a_table(browser: Browser) -> None:
    seen = figures(browser)
    assert len(seen) == 9
    for figure in seen:
        numbers = table_of(browser, figure)
        assert len(numbers) > 0, find(figure, "h3").text
        assert any(sign.isdigit() for sign in numbers.to_string(header=False, index=False))


def test_each_series_of_a_chart_has_a_picture_of_its_own(browser: Browser) -> None:
    for figure in figures(browser):
        plots = find_all(figure, ".plot")
        if plots:
            named = [series(browser, plot) for plot in plots]
            columns = [name.removesuffix(", bytes") for name in table_of(browser, figure).columns]
            assert named == [name for name in columns if name in named]
            assert len(set(named)) == len(named)
            assert {len(find_all(plot, ".u-series")) for plot in plots} == {2}
    width = next(it for it in figures(browser) if find(it, "h3").text == "Width")
    assert [series(browser, it) for it in find_all(width, ".plot")] == ["train", "validation", "test", "train_t3"]


def test_what_is_under_the_pointer_is_what_the_table_says(browser: Browser, project: Project) -> None:
    for figure in figures(browser):
        for plot in find_all(figure, ".plot"):
            numbers = table_of(browser, figure)
            column = next(it for it in numbers.columns if it.removesuffix(", bytes") == series(browser, plot))
            for share in (0.1, 0.6):
                place, value = values_at(browser, plot, share)
                key = place.split(" ")[0] if figure.get_attribute("id") == "class-chart" else place
                rows = numbers[numbers.iloc[:, 0] == key]
                told = rows[column].item()
                if "bytes" in column:
                    assert value.startswith(f"{int(told) / 1000:.1f}")
                else:
                    assert value.split("(")[-1].rstrip(")").replace("\u202f", "") == told


@pytest.mark.parametrize("chart", ["#class-chart", "#shard-chart"])
def test_between_classes_and_between_shards_nothing_is_drawn(chart: str, browser: Browser) -> None:
    figure = find(browser, chart)
    numbers = table_of(browser, figure)
    compared = 0
    for plot in find_all(figure, ".plot"):
        column = next(it for it in numbers.columns if it.removesuffix(", bytes") == series(browser, plot))
        values = [int(it) for it in numbers[column] if it != "\u2013"]
        over = find(plot, ".u-over")
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", over)
        shown = picture(over)
        filled = shown[-3, round(shown.shape[1] * (values.index(max(values)) + 0.5) / len(values))]
        drawn = np.abs(shown - filled).sum(axis=2) < 60
        heights = []
        for number, value in enumerate(values):
            first, last = (round(shown.shape[1] * (number + part) / len(values)) for part in (0.48, 0.52))
            tops = drawn[:, first:last].sum(axis=0)
            assert tops.max() - tops.min() <= 1, "a bar is flat: a line would rise or fall here"
            heights.append(tops.max() / value if value else None)
        known = [it for it in heights if it]
        assert max(known) <= 1.2 * min(known), "the bars begin at nought"
        compared += len(set(values)) > 1
    assert compared
