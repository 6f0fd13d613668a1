"""The workflow by the commands of PBS, which Slurm's stand-ins for them understand."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster import patience
from cluster.projects import ClusterProject
from cluster.slurm import Slurm, said
from project import Project

IMAGES = "imagefolder_validation"


class PbsProject(ClusterProject):
    """The same, with the other profile."""

    profile = "pbs"

    def words(self) -> Path:
        """What the scheduler keeps of what the job prints."""
        (log,) = (self.results / "logs" / "write_imagefolder").glob("*.log.pbs")
        return log


@pytest.fixture
def project(copies: Callable[[str], ClusterProject]) -> PbsProject:
    return PbsProject(copies("pbs").folder)


def test_what_qsub_submits_makes_the_same_bytes(project: PbsProject, local: Project, slurm: Slurm) -> None:
    project.succeed(IMAGES)
    assert project.bytes_of_products() == ClusterProject(local.folder).bytes_of_products()
    ((_, state, _),) = slurm.ended(project.folder)
    assert state == "COMPLETED"
    assert "Write imagefolder: class folders" in project.words().read_text()
    assert list((project.folder / ".snakemake" / "pbs").iterdir()) == []


def test_a_job_asks_for_the_cores_the_memory_and_the_time_of_its_rule(project: PbsProject, slurm: Slurm) -> None:
    project.hold()
    started = project.start(IMAGES, "--set-resources", "write_imagefolder:runtime=95", "write_imagefolder:mem_mb=1234")
    job = slurm.running(project.folder)
    asked = {what: slurm.about(job, what) for what in ("TimeLimit", "MinMemoryNode", "NumCPUs", "JobName")}
    started.signal(signal.SIGINT)
    assert started.end().code != 0
    assert asked == {"TimeLimit": "01:35:00", "MinMemoryNode": "1234M", "NumCPUs": "1", "JobName": "write_imagefold"}
    patience.until(lambda: not slurm.jobs(project.folder))  # Ctrl-C deletes the jobs by qdel


def test_a_deleted_job_fails_and_the_next_run_mends_it(project: PbsProject, local: Project, slurm: Slurm) -> None:
    script = project.folder / "profiles" / "pbs" / "jobscript.sh"
    shipped = script.read_text()
    script.write_text(shipped.replace("{exec_job}", "touch begun; while [ -e begun ]; do sleep 0.2; done\n{exec_job}"))
    started = project.start(IMAGES, "--retries", "0")
    patience.until((project.folder / "begun").exists)
    said("qdel", slurm.running(project.folder))
    run = started.end()
    assert run.code != 0
    log = project.words()
    assert run.last_line.startswith(f"ERROR {log.relative_to(project.folder)}: a job of write_imagefolder was stopped")
    script.write_text(shipped)
    project.succeed(IMAGES)
    assert project.bytes_of_products() == ClusterProject(local.folder).bytes_of_products()
