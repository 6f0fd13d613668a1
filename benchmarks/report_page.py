"""The page of a finished dataset of any size: what making it costs, how large it is, and how fast it opens.

    python benchmarks/report_page.py benchmarks/work/scale-1

The page is made beside the results and not in them, from links to all that lies there. It is opened in headless
Chromium, where there is one (Debian: chromium, chromium-driver) and selenium is installed (`make test` does that).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import machine
import yaml

from imagenet_prep import configuration
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine.receipts import ARCHIVES
from imagenet_prep.products.registry import STEPS
from imagenet_prep.products.report import sheet_names, sheets
from imagenet_prep.report.files import FILES
from imagenet_prep.report.page import Page
from imagenet_prep.report.sheets import Drawn, Sheets

CHECKOUT = Path(__file__).resolve().parent.parent
STAGES = {"scan_archive": ARCHIVES, "verify_archive": ARCHIVES}
STAGES |= {step.rule: step.name for step in STEPS.values() if step.is_timed}


def main() -> None:
    """Make the page once and open it five times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path, help="a folder with config/config.yaml, benchmark.yaml and results/")
    project = parser.parse_args().project.resolve()
    beside = project / "report-page"
    shutil.rmtree(beside, ignore_errors=True)
    (beside / "results").mkdir(parents=True)
    for path in (project / "results").iterdir():
        if path.is_dir() and path.name != "report":
            (beside / "results" / path.name).symlink_to(path)
        elif path.is_file():  # a link to a file would be no part of an output folder
            shutil.copy(path, beside / "results")
    os.chdir(beside)
    before = used()
    start = time.perf_counter()
    config = config_of(project)
    drawn = Sheets.of(config, boxes_of(config)).write(processes=machine.describe(beside)["cores"])  # type: ignore[arg-type]
    drew = time.perf_counter() - start
    page = page_of(config, drawn)
    page.write()
    wall = time.perf_counter() - start
    after = used()
    sizes = {name: (page.folder / name).stat().st_size for name in (*FILES, *sheets(config))}
    found = {
        "machine": machine.describe(beside),
        "wall_s": round(wall, 1),
        "sheets_s": round(drew, 1),
        "user_s": round(after - before, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6),
        "page_mb": round(sum(sizes.values()) / 1e6, 2),
        "index_html_kb": round(sizes["index.html"] / 1e3),
        "classes_js_kb": round(sizes["classes.js"] / 1e3),
        "samples_mb": round(sum(sizes[name] for name in sheets(config)) / 1e6, 2),
        "opening": opening((beside / page.folder / "index.html").as_uri()),
    }
    print(json.dumps(found, indent=1))


def used() -> float:
    """Seconds of user time of this process and of those that it has waited for."""
    return sum(resource.getrusage(who).ru_utime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def config_of(project: Path) -> Mapping[str, Any]:
    """The configuration of the project, complete."""
    settings = yaml.safe_load((project / "config" / "config.yaml").read_text())
    for key, value in yaml.safe_load((project / "benchmark.yaml").read_text()).items():
        settings[key] = {**(settings.get(key) or {}), **value} if isinstance(value, dict) else value
    return configuration.complete(settings, Path.cwd())


def boxes_of(config: Mapping[str, Any]) -> dict[str, Path]:
    """The tables of the boxes, by split."""
    dataset, folder = dataset_of(config), Path(config["output_dir"], "state", "boxes")
    boxed = [split.name for split in dataset.boxes_in_use(config) if split in dataset.splits_in_use(config)]
    return {split: path for split in boxed for path in folder.glob(f"{split}.*.parquet")}


def page_of(config: Mapping[str, Any], drawn: Drawn) -> Page:
    """The page of the project's results, as the workflow would make it."""
    output = Path(config["output_dir"])
    return Page(
        config=config,
        boxes=boxes_of(config),
        receipts=[output / "verified" / f"{name}.json" for name in config["use"]],
        stages=STAGES,
        sheets=sheet_names(config),
        drawn=drawn,
        readers=CHECKOUT / "docs" / "readers.md",
        readme=CHECKOUT / "README.md",
        scores={},
    )


def opening(url: str) -> dict[str, Any] | str:
    """Milliseconds to the first paint and to the end of loading, medians of five; of each view, to its being there."""
    try:
        from selenium import webdriver
    except ImportError:
        return "selenium is not installed"
    if not shutil.which("chromium"):
        return "there is no chromium"
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking"):
        options.add_argument(f"--{argument}")
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    with webdriver.Chrome(options=options, service=service) as browser:
        paints, loads = [], []
        for _ in range(5):
            browser.get("about:blank")
            browser.get(url)
            paints.append(browser.execute_script("return performance.getEntriesByType('paint')[0].startTime"))
            loads.append(browser.execute_script("return performance.getEntriesByType('navigation')[0].loadEventEnd"))
        views = {}
        for view in ("classes", "pictures", "odd", "n02119789"):
            script = """
                const [view, done] = arguments, start = performance.now();
                location.hash = view;
                const look = () => document.querySelector(".view.current").id === (/^n/.test(view) ? "class" : view)
                    ? done(performance.now() - start) : requestAnimationFrame(look);
                look();
            """
            views[view] = round(browser.execute_async_script(script, view))
    return {"first_paint_ms": round(statistics.median(paints)), "loaded_ms": round(statistics.median(loads)), **views}


if __name__ == "__main__":
    main()
