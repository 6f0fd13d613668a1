"""Say what is missing, changed or too much, and the command that mends it; always, and making nothing."""

import logging
from pathlib import Path
from typing import Any

from imagenet_prep import commands
from imagenet_prep.engine import runs
from imagenet_prep.errors import PrepError
from imagenet_prep.job import run
from imagenet_prep.products.audit import findings
from imagenet_prep.products.audit.run import Audit


def main(snakemake: Any) -> None:
    settings = snakemake.params.settings
    output_dir = Path(snakemake.config["output_dir"])
    if runs.is_older(output_dir):
        remedy = f"Run {commands.snakemake()} first: it takes over what is whole, and makes the rest"
        raise PrepError(output_dir, "an older version has made what lies here", remedy)
    audit = Audit(snakemake.config, settings["products"], settings["splits"], snakemake.threads)
    audit.run()
    audit.check_archives()
    audit.check_sums()
    audit.check_others()
    logging.info("%s", findings.as_text(audit.checks))
    findings.expect_no_problem(audit.checks, "check")


if __name__ == "__main__":
    run(main, snakemake, writes=False)
