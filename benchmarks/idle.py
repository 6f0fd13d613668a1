"""The same graph of jobs with nothing to do: what Snakemake and the starts of Python alone cost."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from workbench import Project, remove

_RULE = """
rule job_{job}:
    input: {inputs}
    output: "{job}.done"
    script: "nothing.py"
"""


class IdleProject(Project):
    """A folder with a workflow whose jobs wait for one another as those of another project do, and do nothing.

    Args:
        folder: made if it is not there.
        model: the project whose graph it is; finished, so that Snakemake knows all of it.
    """

    def __init__(self, folder: Path, model: Project) -> None:
        self.folder = folder
        self.results = folder / "results"
        dot = subprocess.run(
            model.command("--dag"), cwd=model.folder, capture_output=True, text=True, check=True
        ).stdout
        jobs = dict(re.findall(r'(\d+)\[label = "(\w+)', dot))
        needs: dict[str, list[str]] = {job: [] for job, rule in jobs.items() if rule != "all"}
        for needed, job in re.findall(r"(\d+) -> (\d+)", dot):
            if job in needs:
                needs[job].append(f'"{needed}.done"')
        rules = [_RULE.format(job=job, inputs=", ".join(inputs)) for job, inputs in needs.items()]
        targets = ", ".join(f'"{job}.done"' for job in needs)
        remove(folder)
        folder.mkdir(parents=True)
        (folder / "nothing.py").write_text("open(snakemake.output[0], 'w').close()\n")
        (folder / "Snakefile").write_text(f"workdir: 'results'\nrule all:\n    input: {targets}\n{''.join(rules)}")
        self.jobs = len(needs)

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        """What a user would type."""
        return [*super().command(*arguments, cores=cores)[:5], "--scheduler", "greedy", *arguments]
