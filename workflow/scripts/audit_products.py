"""Read everything that was made, and hold it against the archives and against each other."""

import logging
from pathlib import Path
from typing import Any

from imagenet_prep import atomic, versions
from imagenet_prep.job import run
from imagenet_prep.products.audit import report
from imagenet_prep.products.audit.run import Audit


def main(snakemake: Any) -> None:
    audit = Audit(snakemake.config, snakemake.params.products, snakemake.params.splits, snakemake.threads)
    audit.run()
    result = report.as_json(audit.checks, versions.AUDIT)
    logging.info("%s", report.as_text(audit.checks), extra={"for_log": result["ok"]})
    # Snakemake deletes the outputs of a failed job; the report of a failed audit must stay.
    kept = Path(snakemake.log[0]).with_suffix(".json")
    atomic.write_json(kept, result)
    report.expect_no_problem(audit.checks, "audit")
    atomic.write_text(snakemake.output.sums, audit.sha256sums())
    atomic.write_json(snakemake.output.report, result)


if __name__ == "__main__":
    run(main, snakemake)
