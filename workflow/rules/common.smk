"""The configuration, complete; the paths below output_dir; what of it all is in use."""

import os
import re
import sys
from pathlib import Path

# Jobs find this clone's library in any environment that has its dependencies, such as one that conda made. An empty
# part would be the working directory, whose files would hide the standard library's.
CHECKOUT = Path(str(workflow.current_basedir)).resolve().parents[1]
LIBRARY = f"{CHECKOUT}/workflow"
sys.path.insert(0, LIBRARY)
FOUND_IN = filter(None, [LIBRARY, *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
os.environ.update(PYTHONPATH=os.pathsep.join(FOUND_IN))

# No job computes with matrices, but NumPy's library for them starts a thread a core in every one: half its start-up.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from imagenet_prep import commands, configuration, run
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine import runs, space
from imagenet_prep.engine.provenance import Provenance
from imagenet_prep.engine.receipts import ARCHIVES, DIGEST, LEFTOVERS
from imagenet_prep.engine.step import ALL, part_of
from imagenet_prep.engine.table_steps import expected
from imagenet_prep.errors import PrepError
from imagenet_prep.filesystem import is_writable
from imagenet_prep.products import registry

run.expect_usable(CHECKOUT)

# Messages of jobs name commands, which are to be as this run was started.
if workflow.is_main_process:
    os.environ[commands.VARIABLE] = commands.started_by(sys.argv)

try:
    config = configuration.complete(config, Path.cwd())
except PrepError as error:
    run.stop(str(error))

OUT = Path(config["output_dir"])
VERIFIED = OUT / "verified"
LABELS = OUT / "labels"
TABLES = OUT / "tables"
STATE = OUT / "state"
# What only looks can do so where one may not write.
LOGS = OUT / "logs" if is_writable(OUT) else Path(".snakemake") / "logs"
BENCHMARKS = OUT / "benchmarks"

DATASET = dataset_of(config)
SPLITS = [split.name for split in DATASET.splits_in_use(config)]

# What is asked for follows from the configuration and from what lies in output_dir. A job that reads the workflow again
# on another machine takes the answers of the run that it belongs to: there, a folder may be seen as it was before.
NOTED = {} if workflow.is_main_process else runs.noted(OUT)
if NOTED and os.environ.get(runs.RUN_ID, NOTED["id"]) != NOTED["id"]:
    # Before Snakemake deletes what the job would make anew.
    run.stop(f"{OUT}: another run is at work here than the one that this job is of. Run it again when that has ended.")
if NOTED:
    os.environ[runs.RUN_ID] = NOTED["id"]
PROVENANCE = Provenance(config, registry.STEPS, NOTED)

# Snakemake takes no more than --cores; for a cluster, its profile says how many a node has.
EVERY_CORE = 64


wildcard_constraints:
    archive="|".join(DATASET.archives),
    split="|".join({name for it in registry.SPLIT_PRODUCTS.values() for name in [*DATASET.splits, *it.splits(DATASET)]}),
    product="|".join(registry.SPLIT_PRODUCTS),
    batch=r"\d+-\d+-of-\d+",
    digest=DIGEST,
    number=r"\d+",
    model=r"[^/]+?",
    change=DIGEST,
    part=rf"\w+-\w+|{ALL}",
