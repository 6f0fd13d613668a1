"""Scoring predictions by the workflow."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import numpy as np
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


def predictions_of(project: Project, name: str) -> Path:
    """Where predictions go, in a folder that is there."""
    (project.folder / "predictions").mkdir(exist_ok=True)
    return project.folder / "predictions" / name


def scores_of(project: Project, model: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.results / "scores" / f"{model}.json").read_text())
    return found


def validation(project: Project) -> pd.DataFrame:
    return pd.read_csv(project.results / "labels" / "val_labels.csv")


def test_scores_of_a_model_are_ranked_and_the_terminal_shows_them_and_how_they_were_read(project: Project) -> None:
    labels = validation(project)["class_index"].to_numpy()
    classes = len(pd.read_csv(project.results / "labels" / "classes.csv"))
    scores = np.random.default_rng(2).random((len(labels), classes)).astype(np.float32)
    scores[range(len(labels)), labels] = 2
    np.save(predictions_of(project, "resnet.npy"), scores)
    terminal = project.succeed("results/scores/resnet.json").terminal
    assert "results/scores/resnet.json  top-1 100.00%, top-5 100.00%" in terminal
    assert f"resnet.npy was read as array of {len(labels)} x {classes}" in terminal
    found = scores_of(project, "resnet")
    assert (found["top1"], found["partial"]) == (1.0, False)
    (warning,) = found["warnings"]
    assert "labels themselves" in warning, "they are"
    assert found["read_as"] in terminal


def test_a_part_of_the_images_is_scored_by_the_command_that_the_refusal_gives(project: Project) -> None:
    table = validation(project)
    table.assign(filename="val/" + table["filename"], top1=table["wnid"]).head(5)[["filename", "top1"]].to_csv(
        predictions_of(project, "part.csv"), index=False
    )
    run = project.run("results/scores/part.json")
    assert run.code != 0
    command = shlex.split(run.last_line.partition("score the part that is there: ")[2].removesuffix("."))
    project.succeed(*command[command.index("results/scores/part.json") :][:1], "--config", *_settings(command))
    found = scores_of(project, "part")
    assert (found["images"], found["validation_images"], found["partial"]) == (5, len(table), True)
    assert pd.read_csv(project.results / "scores" / "part.classes.csv")["images"].sum() == 5
    assert project.run("results/scores/part.json").code != 0, "it is asked for no more"


def _settings(command: list[str]) -> list[str]:
    assert command.count("--config") == 1
    return [command[command.index("--config") + 1]]


def test_predictions_that_guess_are_scored_with_a_warning(project: Project) -> None:
    validation(project)[["filename"]].assign(top1=0).to_csv(predictions_of(project, "guess.csv"), index=False)
    terminal = project.succeed("results/scores/guess.json").terminal
    (warning,) = scores_of(project, "guess")["warnings"]
    assert f"WARNING guess: {warning}" in terminal


def test_missing_predictions_end_in_one_line_that_names_what_is_there(project: Project) -> None:
    predictions_of(project, "resnet50.csv").write_text("filename,top1\n")
    for name, words in (("resnet5O", "If resnet50 is meant: "), ("vit", "but of resnet50")):
        run = project.run(f"results/scores/{name}.json")
        assert run.code != 0
        assert run.last_line.startswith(f"ERROR predictions: there are no predictions of a model '{name}'")
        assert words in run.last_line
        assert "Traceback" not in run.terminal
        assert run.terminal.count("ERROR") == 1


def test_predictions_in_two_files_are_refused(project: Project) -> None:
    for name in ("twice.csv", "twice.json"):
        predictions_of(project, name).write_text("{}")
    run = project.run("results/scores/twice.json")
    assert run.code != 0
    assert "twice.csv and twice.json. Keep one" in run.last_line


def test_other_predictions_are_scored_whatever_their_time(project: Project) -> None:
    table = validation(project)
    path = predictions_of(project, "mine.csv")
    target = "results/scores/mine.json"
    shares = {"right": table["class_index"], "wrong": table["class_index"].iloc[0]}
    times = {"right": 1e9, "wrong": 5e8}
    for turn, (name, top1) in enumerate([*shares.items(), *shares.items()]):
        table[["filename"]].assign(top1=top1).to_csv(path, index=False)
        os.utime(path, (times[name], times[name]))  # long before the scores
        assert "score_predictions" in project.succeed(target).rules, turn
        assert (scores_of(project, "mine")["top1"] == 1.0) == (name == "right")
        assert project.run(target).nothing_done
