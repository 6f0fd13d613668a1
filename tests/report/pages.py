"""Pages in a real browser: opened from the disk as a reader does it, and what is found on them."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from project import Project

FLAGS = (
    "headless=new",
    "no-sandbox",  # Chromium has none where it runs as root
    "disable-gpu",
    "disable-dev-shm-usage",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
)
WIDE, PHONE = (1280, 900), (390, 844)

Browser = webdriver.Chrome


@contextmanager
def browsing(profile: Path, size: tuple[int, int] = WIDE, *, scripts: bool = True) -> Iterator[Browser]:
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if program is None or driver is None:
        pytest.skip("needs Chromium and its driver (on Debian: apt install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (*FLAGS, f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2 - scripts})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as browser:
        resize(browser, *size)
        yield browser


def resize(browser: Browser, width: int, height: int = 900) -> None:
    """Have the screen be so large."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def show(browser: Browser, project: Project, view: str) -> None:
    """Open a view, and wait until it is there."""
    browser.get("about:blank")
    browser.get((project.results / "report" / "index.html").as_uri() + f"#{view}")
    await_view(browser, view)


def await_view(browser: Browser, view: str) -> None:
    section = "class" if view.startswith("n0") else view
    wait(browser, lambda: find(browser, ".view.current").get_attribute("id") == section)


def wait(browser: Browser, condition: Any) -> None:
    WebDriverWait(browser, 20).until(lambda _: condition())


def find(browser: Browser | WebElement, selector: str) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, selector)


def find_all(browser: Browser | WebElement, selector: str) -> list[WebElement]:
    return browser.find_elements(By.CSS_SELECTOR, selector)


def kit_fox(project: Project) -> dict[str, Any]:
    classes = pd.read_csv(project.results / "labels" / "classes.csv")
    row: dict[str, Any] = classes[classes["wnid"] == "n02119789"].iloc[0].to_dict()
    return row


def found_by(browser: Browser, query: str) -> dict[str, list[str]]:
    """The WNIDs of the classes that a search shows, and the text of the cells that it marks in each."""
    field = find(browser, "#query")
    field.clear()
    field.send_keys(query)
    rows = [row for row in find_all(browser, "#class-table tbody tr") if row.is_displayed()]
    return {find(row, "td").text: [cell.text for cell in find_all(row, ".hit")] for row in rows}


def classes_below(node: dict[str, Any]) -> set[str]:
    own = {node["wnid"]} if node["class_index"] is not None else set()
    return own.union(*map(classes_below, node["children"]))


def picture(element: WebElement) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(element.screenshot_as_png)).convert("RGB"), int)
