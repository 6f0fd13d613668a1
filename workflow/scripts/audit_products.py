"""Read everything that was made, and hold it against the archives and against each other."""

import logging
from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.engine.receipts import described, making
from imagenet_prep.job import run
from imagenet_prep.products.audit import findings
from imagenet_prep.products.audit.run import Audit
from imagenet_prep.products.registry import AUDIT


def main(snakemake: Any) -> None:
    settings, output = snakemake.params.settings, snakemake.output
    with making(snakemake) as made:
        audit = Audit(snakemake.config, settings["products"], settings["splits"], snakemake.threads)
        audit.run()
        result = findings.as_json(audit.checks, AUDIT.version)
        logging.info("%s", findings.as_text(audit.checks), extra={"for_log": result["ok"]})
        # Snakemake deletes the outputs of a failed job; the report of a failed audit must stay.
        kept = Path(snakemake.log[0]).with_suffix(".json")
        atomic.write_json(kept, result)
        findings.expect_no_problem(audit.checks, "audit")
        atomic.write_text(output.sums, audit.sha256sums())
        atomic.write_json(output.report, result)
        made["files"] = described(Path(snakemake.config["output_dir"]), [Path(output.sums), Path(output.report)])


if __name__ == "__main__":
    run(main, snakemake)
