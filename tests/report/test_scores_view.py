"""Scores on the page: it is made anew when they are, and has all models side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from imagenet_prep.report.model_scores import models
from project import Project
from report.document import Document
from report.pages import browsing, find, find_all, resize, show

MODELS = {"good": 6, "worse": 3}  # every so manieth prediction is wrong


def predict(project: Project, model: str, every: int) -> None:
    """Predictions of which some are wrong."""
    labels = pd.read_csv(project.results / "labels" / "val_labels.csv")
    count = labels["class_index"].max() + 1
    wrong = labels.index % every == 0
    top = [(labels["class_index"] + wrong + place) % count for place in range(5)]
    folder = project.folder / "predictions"
    folder.mkdir(exist_ok=True)
    table = labels[["filename"]].assign(**{f"top{place + 1}": it for place, it in enumerate(top)})
    table.to_csv(folder / f"{model}.csv", index=False)


def targets(*names: str) -> list[str]:
    return [f"results/scores/{name}.json" for name in names]


def scores(project: Project, model: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.results / "scores" / f"{model}.json").read_text())
    return found


def table_of(project: Project) -> list[list[str]]:
    """The table of scores on the page; nothing where there is none."""
    document = Document((project.results / "report" / "index.html").read_text(encoding="utf-8"))
    return next((rows for rows in document.tables.values() if rows[0][0] == "score"), [])


def named(project: Project) -> list[str]:
    return (table_of(project) or [["score"]])[0][1:]


def test_the_page_follows_the_scores_and_each_run_after_it_has_nothing_to_do(project: Project) -> None:
    without = (project.results / "report" / "index.html").read_bytes()
    assert named(project) == []
    for model, every in MODELS.items():
        predict(project, model, every)
    assert project.succeed(*targets(*MODELS)).rules >= {"score_predictions", "write_page"}
    assert named(project) == ["good", "worse"]
    assert project.run(*targets(*MODELS)).nothing_done
    assert project.run().nothing_done

    predict(project, "worse", 2)
    project.succeed(*targets("worse"))
    rows = {row[0]: row[1:] for row in table_of(project)}
    assert rows["top-1"] == [f"{100 * scores(project, model)['top1']:.2f} %" for model in MODELS]

    for path in (project.results / "scores").glob("*"):
        path.unlink()
    assert "write_page" in project.succeed("report").rules
    assert (project.results / "report" / "index.html").read_bytes() == without


def test_scores_that_are_asked_for_along_with_all_are_on_the_page_of_that_run(project: Project) -> None:
    (project.results / "report" / "index.html").unlink()
    predict(project, "good", MODELS["good"])
    project.succeed("all", *targets("good"))
    assert named(project) == ["good"]
    assert project.run("all", *targets("good")).nothing_done


def test_scores_ask_for_no_more_than_themselves_where_the_page_would_want_more(project: Project) -> None:
    predict(project, "good", MODELS["good"])
    (project.results / "tables" / "images.parquet").unlink()
    assert "write_page" not in project.succeed(*targets("good")).rules
    assert named(project) == []
    project.succeed()
    assert named(project) == ["good"]


def test_predictions_that_cannot_be_scored_or_are_gone_do_not_hinder_the_page(project: Project) -> None:
    predict(project, "good", MODELS["good"])
    project.succeed(*targets("good"))
    (project.folder / "predictions" / "good.csv").unlink()
    (project.folder / "predictions" / "bad.csv").write_text("no predictions")
    assert project.run(*targets("bad")).code != 0
    (project.results / "report" / "index.html").unlink()
    project.succeed("report")
    assert named(project) == ["good"]


def test_scores_that_somebody_edited_are_left_out_and_named(project: Project) -> None:
    for model, every in MODELS.items():
        predict(project, model, every)
    project.succeed(*targets(*MODELS))
    path = project.results / "scores" / "worse.json"
    path.write_text(path.read_text().replace('"top1": 0', '"top1": 1'))
    project.succeed("report")
    assert named(project) == ["good"]
    html = (project.results / "report" / "index.html").read_text(encoding="utf-8")
    assert "worse is left out" in html


def test_models_stand_side_by_side_with_what_each_says_of_a_class(project: Project, tmp_path: Path) -> None:
    for model, every in MODELS.items():
        predict(project, model, every)
    project.succeed(*targets(*MODELS))
    classes = {model: pd.read_csv(project.results / "scores" / f"{model}.classes.csv") for model in MODELS}
    with browsing(tmp_path / "profile") as browser:
        show(browser, project, "scores")
        head = [it.text for it in find_all(browser, "#scores thead th")]
        assert head == ["score", "good", "worse"]
        rows = {find(row, "th").text: row for row in find_all(browser, "#scores .models tbody tr")}
        cells = [[it.text for it in find_all(row, "td")] for row in rows.values()]
        found = {model: scores(project, model) for model in MODELS}
        for place, (_, of_model) in enumerate(found.items()):
            percent = [of_model[key] for key in ("top1", "top5", "mean_per_class")]
            percent += [of_model[key]["accuracy"] for key in ("real", "multilabel")]
            hard = of_model["imagenet_m"]
            wanted = [*(f"{100 * it:.2f} %" for it in percent), f"{hard['wrong']} of {hard['images']}"]
            assert [row[place] for row in cells[:6]] == wanted
        best = [it.text for it in find_all(rows["top-1"], ".best")]
        assert best == [f"{100 * found['good']['top1']:.2f} %"]
        show(browser, project, "n02119789")
        shown = {find(row, "th").text: find(row, "td").text for row in find_all(browser, "#class-body tbody tr")}
        own = {model: table.loc[table["wnid"] == "n02119789", "top1"].item() for model, table in classes.items()}
        assert shown == {model: f"{100 * value:.0f} %" for model, value in own.items()}


def test_the_long_name_of_a_model_fits_on_a_phone(project: Project, tmp_path: Path) -> None:
    model = "vit_large_patch14_clip_336.openai_ft_in12k_in1k_384_with_more_behind"
    predict(project, model, 6)
    project.succeed(*targets(model))
    with browsing(tmp_path / "profile") as browser:
        resize(browser, 390)
        show(browser, project, "scores")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390


FOUND = {"images": 50, "top1": 0.5, "mean_per_class": 0.5}


@pytest.mark.parametrize(
    ("more", "partial", "read_as", "warnings"),
    [
        ({}, False, "", []),
        ({"read_as": "WNIDs"}, False, "WNIDs", []),
        ({"partial": False, "warnings": ["top1 is at chance"]}, False, "", ["top1 is at chance"]),
        ({"partial": True, "validation_images": 100}, True, "", ["only 50 images were scored, of 100"]),
        ({"partial": True, "warnings": ["so"]}, True, "", ["only 50 images were scored", "so"]),
    ],
)
def test_what_speaks_against_scores_stands_beside_them(
    more: dict[str, Any], partial: bool, read_as: str, warnings: list[str], tmp_path: Path
) -> None:
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "mine.json").write_text(json.dumps({**FOUND, **more}))
    (found,) = models(tmp_path, {"mine": "digest"})
    assert (found.partial, found.read_as, found.warnings) == (partial, read_as, warnings)
    assert found.values == [0.5, None, 0.5, None, None, None]
