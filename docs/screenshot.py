"""The picture of the dataset's page that README.md shows, made by a browser.

`python docs/screenshot.py demo/results` makes docs/page.png of the page in that folder; with `overview`, `pictures`,
`odd` or a WNID behind it, of that view. It needs Chromium and its driver, and what `make test` installs.
"""

from __future__ import annotations

import base64
import io
import re
import shutil
import sys
from pathlib import Path

from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

PICTURE = Path(__file__).resolve().parent / "page.png"
VIEW = "n02119789"  # the kit fox, which README.md speaks of
WIDTH, HEIGHT = 1200, 800
COLORS = 128  # of the file: enough for the page, and a third of the bytes
FLAGS = ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars")


def screenshot(page: Path, view: str) -> bytes:
    """The upper part of a view, as PNG.

    Args:
        page: `report/index.html`.
        view: what its address has behind the #.
    """
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in FLAGS:
        options.add_argument(f"--{flag}")
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))) as browser:
        metrics = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.get(f"{page.resolve().as_uri()}#{view}")
        shown = "class" if re.fullmatch(r"n\d{8}", view) else view
        WebDriverWait(browser, 10).until(
            lambda it: it.find_element(By.CSS_SELECTOR, ".view.current").get_attribute("id") == shown
        )
        return base64.b64decode(browser.get_screenshot_as_base64())


def main(results: Path, view: str) -> None:
    """Write the picture."""
    with Image.open(io.BytesIO(screenshot(results / "report" / "index.html", view))) as picture:
        picture.convert("RGB").quantize(COLORS).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else VIEW)
