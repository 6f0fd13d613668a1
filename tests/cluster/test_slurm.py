"""The workflow on a Slurm: the same bytes, and what happens when jobs, nodes and snakemake itself are lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from cluster import patience
from cluster.projects import DEMO, TARGETS, ClusterProject
from cluster.slurm import Slurm
from project import Project, Run, Started

# One target, of which the cluster runs one job.
IMAGES = "imagefolder_validation"

# Those of which it runs two jobs for the validation set, one after the other.
RECORDS = ("tfrecord", "tfrecord_index")

# A group of the system that the user of the tests is not in.
GROUP = "users"


@pytest.fixture(scope="module", autouse=True)
def overtime(copies: Callable[[str], ClusterProject]) -> Iterator[tuple[ClusterProject, Started]]:
    """A run whose job hangs and has one minute; it is started first, and goes on beside the other tests."""
    project = copies("overtime")
    project.hold()
    apart = ["--default-resources", "attempt=attempt", "slurm_partition=apart"]
    started = project.start(IMAGES, "--retries", "0", "--set-resources", "write_imagefolder:runtime=1", *apart)
    yield project, started
    if started.process.poll() is None:
        started.kill()


def expect_mended(project: ClusterProject, local: Project) -> None:
    """The next run, which need not be on the cluster, makes what an undisturbed one makes."""
    Project(project.folder).succeed(IMAGES)
    expect_finished(project, local)


def expect_finished(project: ClusterProject, local: Project) -> None:
    """All is as an undisturbed run leaves it, and there is nothing left to do."""
    assert project.bytes_of_products() == ClusterProject(local.folder).bytes_of_products()
    assert Project(project.folder).run("-n", IMAGES).nothing_done
    leftovers = [path for path in project.results.rglob("*") if path.name.endswith(".partial")]
    assert leftovers == []


@pytest.fixture(scope="module")
def demo(slurm: Slurm, tmp_path_factory: pytest.TempPathFactory) -> tuple[ClusterProject, Run]:
    """The demo made on the cluster, in a folder of a group, by a user who lets the group read."""
    project = ClusterProject(tmp_path_factory.mktemp("demo"), DEMO)
    project.results.mkdir()
    shutil.chown(project.results, group=GROUP)
    project.results.chmod(0o2750)
    before = os.umask(0o027)
    try:
        return project, project.succeed(*TARGETS)
    finally:
        os.umask(before)


def test_the_demo_has_the_same_bytes_as_without_a_cluster(demo: tuple[ClusterProject, Run], local: Project) -> None:
    project, run = demo
    assert project.bytes_of_products() == ClusterProject(local.folder).bytes_of_products()
    assert (project.results / "SHA256SUMS").read_bytes() == (local.results / "SHA256SUMS").read_bytes()
    assert project.run("-n", *TARGETS).nothing_done
    assert "workflow specific profile profiles/default" in run.terminal
    assert project.scheduler_logs() == [], "of jobs that succeeded the job's own log is enough"


def test_the_cluster_runs_the_jobs_of_minutes_on_several_nodes(demo: tuple[ClusterProject, Run], slurm: Slurm) -> None:
    ended = slurm.ended(demo[0].folder)
    rules = {comment.removeprefix("rule_").partition("_wildcards")[0] for comment, _, _ in ended}
    assert rules == {
        *("scan_archive", "parse_boxes", "plan_shards", "write_imagefolder", "write_tfrecord", "write_tfrecord_index"),
        *("write_archive_index", "audit_products", "draw_samples", "write_page"),
    }
    assert {state for _, state, _ in ended} == {"COMPLETED"}
    assert {node for _, _, node in ended} == {"n1", "n2"}, "both write into the same folders"


def test_all_that_is_made_can_be_read_by_the_group_of_its_folder(demo: tuple[ClusterProject, Run]) -> None:
    results = demo[0].results
    found = {(stat.filemode(path.stat().st_mode), path.group()) for path in results.rglob("*") if not path.is_symlink()}
    assert found == {("drwxr-s---", GROUP), ("-rw-r-----", GROUP)}


def hang(project: ClusterProject, slurm: Slurm, *arguments: str, after: str = "0") -> tuple[Started, str]:
    """Start a run, and wait until its job, which comes after another one, is on a node, where it hangs."""
    project.hold()
    started = project.start(IMAGES, *arguments)
    return started, slurm.running(project.folder, after)


def test_a_cancelled_job_is_tried_again_and_then_told(project: ClusterProject, local: Project, slurm: Slurm) -> None:
    started, first = hang(project, slurm, "--retries", "1")
    slurm.cancel(first)
    second = slurm.running(project.folder, after=first)
    asked = [[slurm.about(job, what) for what in ("MinMemoryNode", "TimeLimit")] for job in (first, second)]
    assert asked == [["1000M", "01:00:00"], ["2000M", "02:00:00"]]
    slurm.cancel(second)
    run = started.end()
    assert run.code != 0
    log = project.scheduler_logs()[-1]
    assert run.last_line.startswith(f"ERROR {log}: a job of write_imagefolder was stopped")
    assert "CANCELLED" in run.last_line
    project.release()
    expect_mended(project, local)


def test_a_job_killed_for_memory_succeeds_with_more(project: ClusterProject, local: Project, slurm: Slurm) -> None:
    run = project.succeed(IMAGES, "--set-resources", "write_imagefolder:mem_mb=60 if attempt == 1 else 1000")
    assert "write_imagefolder is tried again: " in run.terminal
    (log,) = project.scheduler_logs()
    assert "exceeded memory limit" in log.read_text()
    assert [state for _, state, _ in slurm.ended(project.folder)].count("COMPLETED") == 1
    expect_finished(project, local)


def test_a_job_on_a_lost_node_is_run_on_another(project: ClusterProject, local: Project, slurm: Slurm) -> None:
    started, job = hang(project, slurm)
    lost = slurm.about(job, "NodeList")
    slurm.lose_node(lost)
    project.release()
    slurm.start_at_once(job)
    assert started.end().code == 0
    assert slurm.about(job, "NodeList") != lost
    slurm.return_node(lost)
    expect_finished(project, local)


def test_what_a_killed_run_left_queued_does_nothing(project: ClusterProject, local: Project, slurm: Slurm) -> None:
    killed, left = hang(project, slurm)
    killed.kill()
    assert "--unlock" in project.run(IMAGES).terminal
    project.succeed("--unlock")
    started, own = hang(project, slurm, after=left)

    project.release()
    run = started.end()
    assert run.code == 0, run.terminal
    patience.until(lambda: not slurm.jobs(project.folder))
    assert (slurm.about(left, "JobState"), slurm.about(own, "JobState")) == ("FAILED", "COMPLETED")
    (words,) = [log.read_text() for log in project.scheduler_logs() if log.stem == left]
    assert "another run is at work here than the one that this job is of" in words
    expect_finished(project, local)


def test_an_interrupted_run_cancels_its_jobs(project: ClusterProject, local: Project, slurm: Slurm) -> None:
    started, _ = hang(project, slurm)
    started.signal(signal.SIGINT)
    assert started.end().code != 0
    patience.until(lambda: not slurm.jobs(project.folder))
    project.release()
    expect_mended(project, local)


def test_a_damaged_archive_is_told_on_the_last_line_and_read_only_once(project: ClusterProject, local: Project) -> None:
    images = pd.read_parquet(project.results / "tables" / "images.parquet")
    image = images[images["split"] == "validation"].iloc[0]
    archive = project.archives / image["archive"]
    whole, times = archive.read_bytes(), archive.stat()
    damaged = bytearray(whole)
    damaged[image["offset"] + 20] ^= 0xFF
    archive.write_bytes(damaged)
    os.utime(archive, ns=(times.st_atime_ns, times.st_mtime_ns))

    run = project.run(IMAGES, "--retries", "1")
    assert run.code != 0
    assert run.last_line.startswith(f"ERROR {archive}, member '{image['filename']}', byte {image['offset']}: ")
    assert run.terminal.count(f"member '{image['filename']}'") == 1
    assert run.log.count("Trying to restart job") == 1
    log = max(
        (project.results / "logs" / "write_imagefolder").glob("validation-*.log"), key=lambda it: it.stat().st_mtime
    )
    assert "found by an earlier attempt" in log.read_text()

    archive.write_bytes(whole)
    os.utime(archive, ns=(times.st_atime_ns, times.st_mtime_ns))
    expect_mended(project, local)


def mislead(project: ClusterProject, step: str) -> Path:
    """Put a newer receipt of the validation split beside a step's own, of a file that is not there; return its path."""
    (receipt,) = (project.results / "state" / step).glob("*validation*.json")
    subject, digest, _, _ = receipt.name.split(".")
    bogus = receipt.with_name(f"{subject}.{digest}.9.json")
    bogus.write_text(json.dumps({"files": {"state/lost.parquet": {}}}))
    return bogus


def tables_between(project: ClusterProject) -> set[str]:
    """The names of tables that shards are made from, and of their receipts."""
    return {path.name for step in ("plan", "images") for path in (project.results / "state" / step).iterdir()}


def test_jobs_on_nodes_ask_for_what_the_run_asks_for(project: ClusterProject, local: Project, slurm: Slurm) -> None:
    shards, before = project.results / "tfrecord", tables_between(project)
    min(shards.glob("validation-*")).unlink()
    project.hold()
    started = project.start(*RECORDS)
    slurm.running(project.folder)
    misleading = [mislead(project, step) for step in ("plan", "images", "tfrecord", "tfrecord_index")]
    lost = min(shards.glob("train-*"))
    lost.unlink()
    project.release()
    run = started.end()
    assert run.code == 0, run.terminal
    (made,) = (project.results / "state" / "tfrecord").glob("validation-*.json")
    assert made.name.split(".")[2] == "2"
    assert not lost.exists()

    for receipt in misleading:
        receipt.unlink(missing_ok=True)
    assert tables_between(project) == before, "no job has made them again for itself"
    assert Project(project.folder).succeed(*RECORDS).rules >= {"write_tfrecord", "write_tfrecord_index"}
    assert lost.exists()
    expect_mended(project, local)


def test_a_job_over_its_wall_time_is_the_last_line(overtime: tuple[ClusterProject, Started], local: Project) -> None:
    project, started = overtime
    run = started.end()
    assert run.code != 0
    (log,) = project.scheduler_logs()
    assert run.last_line.startswith(f"ERROR {log}: a job of write_imagefolder was stopped")
    assert "DUE TO TIME LIMIT" in run.last_line
    assert "--set-resources write_imagefolder:runtime=" in run.last_line
    project.release()
    expect_mended(project, local)
