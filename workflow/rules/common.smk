"""The configuration, complete; the paths below output_dir; what of it all is in use."""

import atexit
import os
import sys
from pathlib import Path

# Jobs find the library in any environment that has its dependencies, such as one that conda made, and what they do
# before anything else.
CHECKOUT = Path(str(workflow.current_basedir)).resolve().parents[1]
LIBRARY = f"{CHECKOUT}/workflow"
sys.path.insert(0, LIBRARY)
JOB_PATH = [LIBRARY, f"{LIBRARY}/startup", *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
os.environ |= {"PYTHONPATH": os.pathsep.join(JOB_PATH)}

# No job computes with matrices, but NumPy's library for them starts a thread a core in every one: half its start-up.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from imagenet_prep import configuration, versions
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
ARCHIVES = OUT / "archives"
SPARE = OUT / "downloads"  # of archives where archives_dir is not writable
VERIFIED = OUT / "verified"
LABELS = OUT / "labels"
TABLES = OUT / "tables"
STATE = OUT / "state"
LOGS = OUT / "logs"
BENCHMARKS = OUT / "benchmarks"

ARCHIVE_OF_SPLIT = {"train": "train", "validation": "val", "test": "test", "train_t3": "train_t3"}
BOXES_OF_SPLIT = {"train": "bbox_train", "validation": "bbox_val"}
SPLITS = [split for split, archive in ARCHIVE_OF_SPLIT.items() if archive in config["use"]]
RECORD_SPLITS = [split for split in SPLITS if split in BOXES_OF_SPLIT]
BOX_SPLITS = [split for split, archive in BOXES_OF_SPLIT.items() if archive in config["use"]]
SHARDS = {split: config["tfrecord"][f"{split}_shards"] for split in BOXES_OF_SPLIT}

if config["classes"]:
    CLASS_COUNT = len(config["classes"])
elif config["synthetic"]:
    CLASS_COUNT = config["synthetic"]["classes"]
else:
    CLASS_COUNT = 1000

# Snakemake takes no more than --cores; for a cluster, its profile says how many a node has.
EVERY_CORE = 64

FOLDER_UNITS = {"train": CLASS_COUNT, "validation": CLASS_COUNT, "test": 1, "train_t3": 1}


wildcard_constraints:
    archive="|".join(config["archives"]),
    split="|".join(ARCHIVE_OF_SPLIT),
    batch=r"\d+-\d+-of-\d+",
    model=r"[^/]+?",
