"""The last lines of a run that somebody has mistyped, or that Snakemake itself ends: what it means, and what to do."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import warm
from damage import half, last_errors, path_of
from project import CHECKOUT, Project, Run, environment

OVERLAY = ("--configfile", "config/config.yaml", "test.yaml")


def typed(project: Project, *words: str, folder: Path | None = None) -> Run:
    """What snakemake says to these words and no others."""
    said = project.folder.parent / f"{project.folder.name}.said"
    code = warm.running(sys.executable).run(list(words), folder or project.folder, environment(), said)
    return Run(code, said.read_text())


def shell(command: str, folder: Path) -> None:
    """Type it in a folder, with the environment in which snakemake is found."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(command, shell=True, cwd=folder, env={**environment(), "PATH": path}, check=True)


def only_error(run: Run) -> str:
    """The one line with which a failed run ends, and that is said once."""
    assert run.code != 0, run.terminal
    assert "Traceback" not in run.terminal, run.terminal
    assert "Exception" not in run.terminal, run.terminal
    (error,) = last_errors(run)
    assert run.terminal.count(error) == 1
    return error.removeprefix("ERROR ")


@pytest.fixture
def looked_at(finished: Project, tmp_path: Path) -> Project:
    """The finished project as somebody finds it who mistypes: nothing of it is changed but what stands beside it."""
    project = finished.copy(tmp_path / "looked-at")
    project.configure({"predictions_dir": "predictions"})
    return project


MISTYPED_FILES = {
    "results/labels/clases.csv": "Did you mean results/labels/classes.csv?",
    "results/label/classes.csv": "Did you mean results/labels/classes.csv?",
    "results/verified/trian.json": "Did you mean results/verified/train.json?",
    "out/labels/classes.csv": "Did you mean results/labels/classes.csv?",
    "labels/classes.csv": "Did you mean results/labels/classes.csv?",
    "scores/resnet.json": "Did you mean results/scores/resnet.json?",
    "results/tfrecord/train-00000-of-00009": "ask for the target tfrecord_train.",
    "results/tfrecord_index/validation-00000-of-00002": "ask for the target tfrecord_index_validation.",
    "results/imagefolder/val/n01440764": "ask for the target imagefolder_validation.",
    "somewhere/else.txt": "The README has a table of the products and their targets.",
}


def test_a_file_that_nothing_makes_is_answered_with_what_was_probably_meant(finished: Project) -> None:
    for name, meant in MISTYPED_FILES.items():
        error = only_error(finished.run(name))
        assert error.startswith(f"target {name}: nothing makes a file of this name. ")
        assert error.endswith(meant), error


def test_the_usual_output_folder_is_answered_with_the_one_that_is_configured(looked_at: Project) -> None:
    elsewhere = looked_at.folder.parent / "elsewhere"
    looked_at.configure({"output_dir": str(elsewhere)})
    for name in ("scores/x.json", "scores/x.classes.csv", "labels/classes.csv"):
        assert only_error(looked_at.run(f"results/{name}")).endswith(f"Did you mean {elsewhere}/{name}?")


def test_predictions_that_are_not_there_are_named_with_those_that_are(looked_at: Project) -> None:
    score = "results/scores/resnet50.json"
    assert "there are no predictions of a model 'resnet50'" in only_error(looked_at.run(score))
    predictions = looked_at.folder / "predictions"
    predictions.mkdir()
    assert "Put them there, then run the same command again" in only_error(looked_at.run(score))
    (predictions / "vit.csv").touch()
    assert ", but of vit. " in only_error(looked_at.run(score))
    (predictions / "resnet-50.parquet").touch()
    error = only_error(looked_at.run(score))
    assert re.search(r"If resnet-50 is meant: \S*snakemake --cores 2 results/scores/resnet-50.json --configfile", error)


def test_targets_behind_an_option_are_given_back_in_front_of_it(finished: Project) -> None:
    error = only_error(typed(finished, "--cores", "2", *OVERLAY, "tfrecord", "labels"))
    assert error.startswith("tfrecord: behind --configfile it is taken for a configuration file.")
    assert error.endswith(f"snakemake --cores 2 tfrecord labels {' '.join(OVERLAY)}")
    error = only_error(typed(finished, "--cores", "2", *OVERLAY, "--config", "classes=null", "tfrecord"))
    assert error.startswith("tfrecord: behind --config it is taken for a setting.")
    assert error.endswith(f"tfrecord {' '.join(OVERLAY)} --config classes=null")


def test_a_configuration_file_that_cannot_be_read_is_named_with_the_line(looked_at: Project) -> None:
    contents = {
        "list.yaml": (b"- a\n", "there are no keys in this configuration file: it is a list"),
        "text.yaml": (b"hello\n", "it is a value"),
        "empty.yaml": (b"", "it is empty"),
        "tab.yaml": (b"use:\n\t- val\n", "in line 2, column 1, found character"),
        "open.yaml": (b"use: [val\n", "in line 2, column 1"),
        "latin.yaml": (b"output_dir: r\xe9sultats\n", "byte 13: this is no text in UTF-8"),
    }
    for name, (content, words) in contents.items():
        (looked_at.folder / name).write_bytes(content)
        error = only_error(typed(looked_at, "--cores", "2", *OVERLAY, name))
        assert error.startswith(name)
        assert words in error
    error = only_error(typed(looked_at, "--cores", "2", "--configfile", "config/confg.yaml"))
    assert error.startswith("config/confg.yaml: this configuration file cannot be read (No such file or directory).")
    assert error.endswith("Did you mean config/config.yaml?")
    (looked_at.folder / "config" / "config.yaml").write_text("output_dir: [\n")
    assert only_error(typed(looked_at, "-n")).startswith("config/config.yaml: this is not YAML")


def test_settings_that_snakemake_cannot_take_are_told_as_they_are_to_be_written(finished: Project) -> None:
    error = only_error(finished.run("--config", "tfrecord.train_shards=5"))
    assert error.endswith("--config 'tfrecord={train_shards: 5}'")
    finished.succeed("-n", *shlex.split(error[error.index("--config '") :]))
    assert "'1x' is no key" in only_error(finished.run("--config", "1x=5"))


def test_a_run_without_cores_is_told_the_command(finished: Project) -> None:
    error = only_error(typed(finished, *OVERLAY, "--force"))
    assert error.startswith("--cores is missing.")
    assert error.endswith(f"snakemake --cores all {' '.join(OVERLAY)} --force")


def test_a_quiet_run_says_why_it_ends_all_the_same(finished: Project) -> None:
    assert only_error(finished.run("tfrecrd", "--quiet", "all")).endswith("Did you mean tfrecord?")
    assert "behind --configfile" in only_error(typed(finished, "--cores", "2", "--quiet", "all", *OVERLAY, "tfrecord"))


def test_a_lock_that_a_killed_run_left_is_told_with_the_command_that_takes_it_away(project: Project) -> None:
    (project.results / "audit.json").unlink()
    locks = project.folder / ".snakemake" / "locks"
    locks.mkdir(exist_ok=True)
    (locks / "0.output.lock").write_text(f"{project.results / 'audit.json'}\nresults/audit.json\n")
    error = only_error(project.run("audit"))
    assert error.startswith(f"{project.folder}: Snakemake's lock is on this folder")
    unlock = re.findall(r"if there is none: (.*) and then run", error)[0]
    assert "--unlock" in unlock
    shell(unlock, project.folder)
    project.succeed("audit")


def test_a_run_whose_terminal_is_closed_makes_what_it_should(project: Project) -> None:
    (project.results / "audit.json").unlink()
    command = f"exec {shlex.join(project.command('audit'))} 2>&-"
    run = subprocess.run(["sh", "-c", command], cwd=project.folder, env=environment(), stdout=subprocess.PIPE)
    assert run.returncode == 0
    assert json.loads((project.results / "audit.json").read_text())["ok"]
    logs = [path.read_text() for path in (project.results / "logs").rglob("*.log")]
    assert not any("Traceback" in log for log in logs)


@pytest.mark.parametrize("whom", [os.kill, os.killpg])
def test_a_run_that_a_batch_system_ends_is_called_neither_failed_nor_killed(project: Project, whom: object) -> None:
    shutil.rmtree(project.results / "imagefolder")
    shutil.rmtree(project.results / "tfrecord")
    run = project.start()
    try:
        while "\n  free " not in run.terminal.read_text():
            assert run.runs, run.end().terminal
            time.sleep(0.02)
        assert callable(whom)
        whom(run.process.pid, signal.SIGTERM)
        end = run.end(60)
    finally:
        run.kill()
    assert end.code != 0
    assert end.last_line == (
        "It was asked to end (SIGTERM), as batch systems and `kill` do. Run the same command again to go on."
    )
    assert not re.search(r"ERROR|\d failed|Traceback", end.terminal), end.terminal
    project.succeed("imagefolder_validation")


OUTER = """
configfile: "config/config.yaml"
configfile: "test.yaml"

module imagenet:
    snakefile: "workflow/Snakefile"
    config: config

use rule * from imagenet

rule shelled:
    output: "shelled.txt"
    shell: "cat nowhere.txt >{output}"

rule coded:
    output: "coded.txt"
    log: "coded.log"
    run: raise ValueError("no such thing")

rule idle:
    output: "idle.txt"
    shell: "true"

onstart: imagenet.onstart()
"""


@pytest.mark.parametrize("calls", ["", "onerror: imagenet.onerror()\n"])
def test_a_rule_of_an_outer_workflow_is_told_as_what_it_is(project: Project, calls: str) -> None:
    (project.folder / "Outer").write_text(OUTER + calls)
    targets = ("--snakefile", "Outer", "shelled.txt", "coded.txt", "idle.txt", "--latency-wait", "0", "--keep-going")
    run = project.run(*targets)
    assert run.code != 0
    errors = " ".join(last_errors(run))
    assert "ERROR rule shelled: its command has failed: cat nowhere.txt >shelled.txt. What it printed stands" in errors
    assert "ERROR rule coded: its job has failed. What it printed stands above, and in coded.log." in errors
    assert "MissingOutputException in rule idle" in errors
    assert "killed" not in errors
    assert len(last_errors(run)) == 3


def test_commands_in_messages_can_be_typed_where_the_run_was_typed(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "my project")
    shard = next((project.results / "tfrecord").glob("train-00001-*"))
    shard.write_bytes(half(shard.read_bytes()))
    configuration = [str(project.folder / name) for name in ("config/config.yaml", "test.yaml")]
    place = ["--snakefile", "my project/Snakefile", "--directory", "my project"]
    run = typed(project, "--cores", "2", "check", *place, "--configfile", *configuration, folder=tmp_path)
    assert run.code != 0
    mends = set(re.findall(r"(rm .*? && .*snakemake .*?)(?:`|\.?$|\. )", run.terminal, re.MULTILINE))
    assert mends, run.terminal
    shell(mends.pop(), tmp_path)
    again = typed(project, "--cores", "2", "check", *place, "--configfile", *configuration, folder=tmp_path)
    assert again.code == 0, again.terminal


def test_the_places_at_the_end_of_a_run_are_found_where_it_was_typed(project: Project) -> None:
    (project.results / "audit.json").unlink()
    above, name = project.folder.parent, project.folder.name
    configuration = [str(project.folder / it) for it in ("config/config.yaml", "test.yaml")]
    place = ["--snakefile", f"{name}/Snakefile", "--directory", name]
    run = typed(project, "--cores", "2", *place, "--configfile", *configuration, folder=above)
    assert run.code == 0, run.terminal
    end = run.terminal[run.terminal.index("Done: ") :]
    assert f"  {name}/results/audit.json " in end
    assert f"open {name}/results/report/index.html in" in end
    assert (above / re.findall(r"Snakemake's own log: (.*)", end)[0]).is_file()


def test_several_failed_jobs_are_told_in_a_line_each(project: Project) -> None:
    for name in ("val", "train_t3"):
        archive = path_of(project, name)
        archive.write_bytes(half(archive.read_bytes()))
    project.configure({"synthetic": None})
    run = project.run("verify", "--keep-going")
    errors = last_errors(run)
    assert len(errors) == 2, run.terminal
    assert run.terminal.count("ERROR ") == 2


def test_the_page_about_trouble_explains_the_errors_in_snakemake_s_own_words(finished: Project) -> None:
    page = (CHECKOUT / "docs" / "trouble.md").read_text()
    run = typed(finished, "--cores", "2", "--unheard-of")
    assert run.code != 0
    assert run.last_line == "snakemake: error: unrecognized arguments: --unheard-of"
    assert "`snakemake: error: …`" in page
