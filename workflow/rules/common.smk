"""The configuration, complete; the paths below output_dir; what of it all is in use."""

import atexit
import os
import re
import sys
from pathlib import Path

# Jobs find the library in any environment that has its dependencies, such as one that conda made, and what they do
# before anything else. An empty part would be the working directory, whose files would hide the standard library's.
CHECKOUT = Path(str(workflow.current_basedir)).resolve().parents[1]
LIBRARY = f"{CHECKOUT}/workflow"
sys.path.insert(0, LIBRARY)
JOB_PATH = [LIBRARY, f"{LIBRARY}/startup", *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
os.environ |= {"PYTHONPATH": os.pathsep.join(JOB_PATH)}

# No job computes with matrices, but NumPy's library for them starts a thread a core in every one: half its start-up.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from imagenet_prep import configuration
from imagenet_prep.dataset import places, space
from imagenet_prep.dataset.names import ARCHIVE_OF_SPLIT, BOXES_OF_SPLIT, SUMS
from imagenet_prep.engine import runs
from imagenet_prep.engine.provenance import Provenance
from imagenet_prep.engine.receipts import DIGEST, LEFTOVERS
from imagenet_prep.engine.steps import ALL, BATCHED, TABLES_BETWEEN, expected
from imagenet_prep.errors import PrepError


def print_errors(lines):
    """Print what went wrong, a line each."""
    print("", *[f"ERROR {line}" for line in lines], sep="\n", file=sys.stderr)


def stop(message):
    """End the run with this message as the last on the terminal.

    An exception would end it too, but Snakemake would tell from where in the workflow it came.
    """
    atexit.register(print_errors, [line.strip() for line in message.splitlines()])
    sys.exit(1)


try:
    config = configuration.complete(config, Path.cwd())
except PrepError as error:
    stop(str(error))

OUT = Path(config["output_dir"])
VERIFIED = OUT / "verified"
LABELS = OUT / "labels"
TABLES = OUT / "tables"
STATE = OUT / "state"
LOGS = OUT / "logs"
BENCHMARKS = OUT / "benchmarks"

SPLITS = [split for split, archive in ARCHIVE_OF_SPLIT.items() if archive in config["use"]]
RECORD_SPLITS = [split for split in SPLITS if split in BOXES_OF_SPLIT]
BOX_SPLITS = [split for split, archive in BOXES_OF_SPLIT.items() if archive in config["use"]]

CLASS_COUNT = space.units(config, space.IMAGEFOLDER, "train")

# What is asked for follows from the configuration and from what lies in output_dir. A job that reads the workflow again
# on another machine takes the answers of the run that it belongs to: there, a folder may be seen as it was before.
TOLD = {} if workflow.is_main_process else runs.told(OUT)
if TOLD and os.environ.get(runs.RUN_ID, TOLD["id"]) != TOLD["id"]:
    # Before Snakemake deletes what the job would make anew.
    stop(f"{OUT}: another run is at work here than the one that this job is of. Run it again when that has ended.")
if TOLD:
    os.environ[runs.RUN_ID] = TOLD["id"]
PROVENANCE = Provenance(config, TOLD)

# Snakemake takes no more than --cores; for a cluster, its profile says how many a node has.
EVERY_CORE = 64


wildcard_constraints:
    archive="|".join(config["archives"]),
    split="|".join(ARCHIVE_OF_SPLIT),
    product="|".join(BATCHED),
    batch=r"\d+-\d+-of-\d+",
    digest=DIGEST,
    number=r"\d+",
    model=r"[^/]+?",
