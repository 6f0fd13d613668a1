"""A project that runs with the environment and the profiles for a cluster."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from project import CHECKOUT, Project

PYTHON = CHECKOUT / ".venv-cluster" / "bin" / "python"

# The demo as `make demo` makes it, but in as few jobs as there can be, since in each one Snakemake starts again.
DEMO: dict[str, Any] = {
    "output_dir": "results",
    "archives_dir": "archives",
    "predictions_dir": "predictions",
    "jobs": {"imagefolder_classes": 20, "imagefolder_val_classes": 20, "tfrecord_shards": 8, "index_shards": 8},
}
TARGETS = ["all", "results/scores/demo.json"]

# Laid over the profiles: this cluster has no accounting, nodes of two CPUs, and tests that are in a hurry.
OVERLAY = {
    "slurm": ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2"],
    "pbs": ["--seconds-between-status-checks", "2", "--max-status-checks-per-second", "10"],
}
THREADS = ["--set-threads", "audit_products=2", "check=2", "draw_samples=2"]


class ClusterProject(Project):
    """A folder with the workflow, of which a scheduler runs the jobs."""

    profile = "slurm"

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        """What a user of a cluster would type."""
        overlay = ["--profile", f"profiles/{self.profile}", *OVERLAY[self.profile], *THREADS]
        files = ["--configfile", "config/config.yaml", "test.yaml"]
        return [str(PYTHON), "-m", "snakemake", *arguments, *overlay, *files]

    def hold(self) -> None:
        """Let jobs that start from now on hang before they begin."""
        (self.folder / "hold").touch()

    def release(self) -> None:
        """Let them begin."""
        (self.folder / "hold").unlink()

    def forget_validation_folders(self) -> None:
        """Take away the validation images: making them again is one job of the scheduler's, and one here."""
        shutil.rmtree(self.results / "imagefolder" / "val")

    def bytes_of_products(self) -> dict[str, str]:
        """SHA-256 of every product but the page, which tells how long jobs took."""
        return {path: digest for path, digest in self.products().items() if not path.startswith("report/")}

    def scheduler_logs(self) -> list[Path]:
        """What Slurm and Snakemake said of jobs, as far as it is kept."""
        return sorted((self.results / "logs" / "slurm").rglob("*.log"))
