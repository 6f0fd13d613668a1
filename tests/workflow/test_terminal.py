"""What a run shows: in a terminal, in a file, and when it fails."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from damage import path_of
from faults.kills import jobs_of
from imagenet_prep.products import registry
from project import Project, environment
from screen import watch

# What may stand on a terminal between the table of space and the last lines: stages that are over.
OVER = re.compile(r"\w+( \S+)?: (done|([\d.k]+ images, )?[\d.]+ k?B) in [^,]*(, .*/s)?")


@pytest.fixture
def undone(project: Project) -> Project:
    """The project without its class folders."""
    shutil.rmtree(project.results / "imagefolder" / "train")
    return project


# One product, made by two jobs of one stage and one of another.
TARGET = "imagefolder_train"


def stages(text: str) -> list[str]:
    """The lines between the space that is free and the end."""
    lines = text.split("\n  free ", 1)[1].splitlines()[1:]
    return lines[: lines.index("")]


def test_a_terminal_shows_how_far_the_run_is_and_then_what_is_there(undone: Project) -> None:
    screens: set[str] = set()
    code, text, _ = watch(undone.command(), undone.folder, environment(), lambda _, seen: screens.add(seen))
    assert code == 0, text
    bottoms = {screen.rstrip().splitlines()[-1] for screen in screens}
    assert any(re.fullmatch(r"\d of 6 jobs, \d+ s", line) for line in bottoms), bottoms
    assert any(re.search(r"^audit_products +\S", screen, re.MULTILINE) for screen in screens)

    assert [line for line in stages(text) if not OVER.fullmatch(line)] == [], "torn, or Snakemake's"
    images = sum(path.stat().st_size for path in (undone.results / "imagefolder" / "train").rglob("*.JPEG"))
    made = f"49 images, {images / 1e3:.0f} kB"
    assert any(line.startswith(f"write_imagefolder train: {made} in ") for line in stages(text))
    end = text[text.index("Done: ") :].splitlines()
    assert re.fullmatch(r"Done: 6 jobs in .*", end[0])
    sizes = [path.stat().st_size for path in (undone.results / "imagefolder").rglob("*.JPEG")]
    there = f"{len(sizes)} images, {sum(sizes) / 1e3:.0f} kB"
    assert re.fullmatch(rf"  results/imagefolder +{there}: test, train, train_t3, validation", end[1])
    assert any(re.fullmatch(r"  results/audit.json +all \d+ checks passed", line) for line in end)
    assert any(line.startswith("Next: open results/report/index.html") for line in end)
    assert len(end) <= 15


def test_elsewhere_the_same_lines_come_plain_and_snakemake_s_own_in_its_log(undone: Project) -> None:
    run = undone.succeed(TARGET)
    assert "\x1b" not in run.terminal
    assert "\r" not in run.terminal
    assert "write_imagefolder train: 49 images" in run.terminal
    assert "Done: 4 jobs" in run.terminal
    log = undone.folder / re.findall(r"Snakemake's own log: (.*)", run.terminal)[0]
    assert "Finished jobid" in log.read_text()
    assert "Finished jobid" not in run.terminal


def test_a_quiet_run_gets_plain_lines_in_a_terminal_too(undone: Project) -> None:
    code, text, written = watch(undone.command(TARGET, "--quiet"), undone.folder, environment())
    assert code == 0, text
    assert "Done: 4 jobs" in text
    assert "\x1b[J" not in written


def test_a_run_that_is_to_say_nothing_says_nothing(undone: Project) -> None:
    run = undone.succeed(TARGET, "--quiet", "all")
    assert "Done" not in run.terminal
    assert "write_imagefolder" not in run.terminal


def test_with_nothing_to_do_one_line_says_so(project: Project) -> None:
    run = project.succeed()
    assert run.nothing_done
    assert "Done" not in run.terminal


def test_a_dry_run_shows_what_would_be_done(undone: Project) -> None:
    run = undone.succeed("-n")
    assert re.search(r"write_imagefolder +2\n", run.terminal)
    assert "Write imagefolder: class folders" in run.terminal


def test_a_failed_run_ends_with_the_cause_and_shows_each_once(undone: Project) -> None:
    archive = path_of(undone, "train")
    whole = archive.read_bytes()
    stat = archive.stat()
    archive.write_bytes(whole[:1024] + bytes(len(whole) - 1024))  # as a disk does that loses what it was given
    os.utime(archive, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    code, text, _ = watch(undone.command("--keep-going", TARGET), undone.folder, environment())
    assert code != 0
    end = text.split(" failed. Snakemake's own log: ", 1)[1].splitlines()[2:]
    assert " ".join(end).count("ERROR ") == len({line for line in end if line.startswith("ERROR ")}) == 2
    assert archive.name in end[0]
    for internal in ("RuleException", "CalledProcessError", "Error in rule", "WorkflowError", "Shutting down"):
        assert internal not in text


def test_a_killed_job_is_told_on_the_last_line(undone: Project) -> None:
    killed: list[int] = []

    def kill(process: subprocess.Popen[bytes], text: str) -> None:
        jobs = jobs_of(process.pid) if "write_imagefolder" in text and not killed else []
        for job in jobs:
            os.kill(job, signal.SIGKILL)
            killed.append(job)

    code, text, _ = watch(undone.command(TARGET), undone.folder, environment(), kill)
    assert killed
    assert code != 0
    assert "ERROR " in text.rstrip().rpartition("\n\n")[2]
    assert "died with" not in text


def test_a_run_that_is_stopped_says_how_to_go_on(undone: Project, tmp_path: Path) -> None:
    stopped: list[int] = []

    def press(process: subprocess.Popen[bytes], text: str) -> None:
        if re.search(r"^write_imagefolder", text, re.MULTILINE) and "of 4 jobs" in text and not stopped:
            stopped.append(process.pid)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does to all that run in it

    code, text, _ = watch(undone.command(TARGET), undone.folder, environment(), press)
    assert stopped
    assert code != 0
    assert text.rstrip().endswith("You have stopped it. Run the same command again to go on.")
    assert "Traceback" not in text
    undone.succeed(TARGET)


def test_a_mistyped_target_ends_with_the_one_that_was_probably_meant(finished: Project) -> None:
    assert finished.run("tfrecrd").last_line == "ERROR target tfrecrd: there is no such target. Did you mean tfrecord?"
    assert "README" in finished.run("unheard_of").last_line


def test_a_target_s_former_name_is_answered_with_the_one_that_counts_now(finished: Project) -> None:
    for former, now in (("indexes", "tfrecord_index"), ("write_shards", "write_tfrecord")):
        last = finished.run(former).last_line
        assert last == f"ERROR target {former}: it is called {now} now. Write that in its place."


def test_former_names_are_answered_with_names_that_there_are() -> None:
    now = registry.FORMER_TARGETS
    assert now["tfrecords"] == "tfrecord"
    assert now["multilabel_tfrecords"] == "tfrecord_multilabel"
    assert now["tfrecords_train"] == "tfrecord_train"
    assert now["imagefolder_val"] == "imagefolder_validation"
