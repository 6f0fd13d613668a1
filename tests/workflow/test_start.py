"""What every start of Snakemake does, on a cluster in every job."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from project import SMALL, Project, environment


def test_reading_the_workflow_imports_no_library_for_tables_or_stores(tmp_path: Path) -> None:
    project = Project(tmp_path, SMALL)
    run = subprocess.run(
        project.command("--dry-run"),
        cwd=tmp_path,
        env={**environment(), "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(re.findall(r"^import time:.*\| *([\w.]+)$", run.stderr, re.MULTILINE))
    assert "imagenet_prep.console.summary" in imported
    assert imported & {"pyarrow", "scipy", "fsspec"} == set()
