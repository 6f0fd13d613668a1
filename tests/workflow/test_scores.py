"""Scoring predictions by the workflow."""

from __future__ import annotations

import json

import pandas as pd
from PIL import Image

import clones
from project import Project


def test_the_demo_model_has_the_scores_that_its_rule_gives(project: Project) -> None:
    project.succeed("results/scores/demo.json")
    scores = json.loads((project.results / "scores" / "demo.json").read_text())
    n = len((project.results / "labels" / "val_index.txt").read_text().split())
    assert scores["images"] == n
    assert scores["top1"] == 1 - n // 5 / n
    assert scores["top5"] == 1 - n // 10 / n
    classes = pd.read_csv(project.results / "scores" / "demo.classes.csv")
    assert classes["images"].sum() == n
    assert (classes["images"] * (1 - classes["top1"])).sum().round() == n // 5
    assert Image.open(project.results / "scores" / "demo.png").format == "PNG"
    assert project.run("results/scores/demo.json").nothing_done
    (project.results / "scores" / "demo.classes.csv").unlink()
    project.succeed("results/scores/demo.json")
    assert pd.read_csv(project.results / "scores" / "demo.classes.csv").equals(classes)


def test_labels_that_begin_with_1_end_in_a_line_that_says_so(project: Project) -> None:
    validation = pd.read_csv(project.results / "labels" / "val_labels.csv")
    (project.folder / "predictions").mkdir(exist_ok=True)
    table = validation[["filename"]].assign(top1=validation["class_index"] + 1)
    table.to_parquet(project.folder / "predictions" / "mine.parquet")
    run = project.run("results/scores/mine.json")
    assert run.code != 0
    assert "predictions/mine.parquet" in run.last_line
    assert "labels that begin with 1" in run.last_line
    assert run.last_line.endswith("Subtract 1.")
    assert "Traceback" not in run.terminal
    assert not list((project.results / "scores").glob("mine*"))


def test_the_demo_s_predictions_follow_the_archives_that_are_made_up(project: Project) -> None:
    project.succeed("results/scores/demo.json")
    clones.forget(project)
    project.configure({"synthetic": {"seed": 8}})
    project.succeed("results/scores/demo.json")
    scores = json.loads((project.results / "scores" / "demo.json").read_text())
    n = scores["images"]
    assert scores["top1"] == 1 - n // 5 / n
    assert project.run("results/scores/demo.json").nothing_done
