"""Configuration, paths and the helpers of the rules: what is in use, what is made from what, how it is cut into jobs."""

import atexit
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# Jobs find the library in any environment that has its dependencies, such as one that conda made.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [f"{workflow.basedir}/workflow", os.environ.get("PYTHONPATH")]))
sys.path.insert(0, f"{workflow.basedir}/workflow")

from imagenet_prep import batches, configuration, job, versions
from imagenet_prep.errors import PrepError
from imagenet_prep.products import presence

try:
    config = configuration.complete(config, Path.cwd())
except PrepError as error:
    raise WorkflowError(str(error)) from None

OUT = Path(config["output_dir"])
ARCHIVES = OUT / "archives"
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

FOLDER_UNITS = {"train": CLASS_COUNT, "validation": CLASS_COUNT, "test": 1, "train_t3": 1}


wildcard_constraints:
    archive="|".join(config["archives"]),
    split="|".join(ARCHIVE_OF_SPLIT),
    batch=r"\d+-\d+-of-\d+",


def file_of(archive):
    """The link to an archive in use."""
    return ARCHIVES / config["archives"][archive]["file"]


def in_use(*archives):
    """Refuse a target whose archive the configuration leaves out."""
    for archive in archives:
        if archive not in config["use"]:
            raise WorkflowError(
                f"configuration key use: {archive} is not in the list, but this target is made from it. "
                f"Add {archive} to use."
            )
    return archives


def verified(*archives):
    """An input function for the receipts of archives.

    Once an archive has been verified, its receipt is waited for as a checkpoint's: when the archive was touched, replaced
    or linked anew, what follows is decided after it was read again, by the receipt's content and not by its time stamp.
    Every rule below the archives names the receipts that it depends on, however indirectly, for this to work.
    """
    names = [archive for archive in archives if archive in config["use"]]

    def receipts(wildcards):
        paths = []
        for name in names:
            receipt = VERIFIED / f"{name}.json"
            if (STATE / "archives" / f"{name}.stat").exists():
                kind = checkpoints.scan_archive if name in ARCHIVE_OF_SPLIT.values() else checkpoints.verify_archive
                receipt = kind.get(archive=name).output.receipt
            paths.append(receipt)
        return paths

    return receipts


def verified_for_images(wildcards):
    """The receipts that the images of a split depend on."""
    return verified(ARCHIVE_OF_SPLIT[wildcards.split], "devkit")(wildcards)


def verified_for_boxes(wildcards):
    """The receipts that the boxes of a split depend on."""
    return verified(BOXES_OF_SPLIT[wildcards.split], "devkit")(wildcards)


def verified_for_records(wildcards):
    """The receipts that the records of a split depend on."""
    return verified(ARCHIVE_OF_SPLIT[wildcards.split], "devkit", BOXES_OF_SPLIT[wildcards.split])(wildcards)


def archive_of_split(wildcards):
    """The archive that holds a split's images."""
    return file_of(*in_use(ARCHIVE_OF_SPLIT[wildcards.split]))


def batch_receipts(product, split, units, size):
    """The receipts of all batches of a split, in order: those that lie there, and new ones of the configured size."""
    folder = STATE / product
    cut = batches.cover(units, size, batches.receipts(folder, split, units))
    return [folder / f"{batches.name(split, batch, units)}.json" for batch in cut]


def summarize_failures_at_exit():
    """Make the causes the last lines on the terminal, behind all that Snakemake has to say."""
    lines = job.failures(LOGS)
    if lines:
        atexit.register(lambda: print("", *[f"ERROR {line}" for line in lines], sep="\n", file=sys.stderr))


if workflow.is_main_process:
    presence.revoke_void_receipts(OUT)
