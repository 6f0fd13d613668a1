"""Configuration, paths and the helpers of the rules: what is in use, what is made from what, how it is cut into jobs."""

import atexit
import math
import os
import re
import signal
import sys
import threading
from pathlib import Path

# Jobs find the library in any environment that has its dependencies, such as one that conda made, and what they do
# before anything else.
LIBRARY = f"{workflow.basedir}/workflow"
sys.path.insert(0, LIBRARY)
JOB_PATH = [LIBRARY, f"{LIBRARY}/startup", *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
os.environ |= {"PYTHONPATH": os.pathsep.join(JOB_PATH)}

# No job computes with matrices, but NumPy's library for them starts a thread a core in every one: half its start-up.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from imagenet_prep import batches, configuration, job, progress, queue, stopped, versions
from imagenet_prep.console import summary, terminal
from imagenet_prep.dataset import names, space, verdict
from imagenet_prep.dataset.there import look
from imagenet_prep.errors import PrepError
from imagenet_prep.products import presence
from imagenet_prep.publish import bucket


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


def file_of(archive):
    """The link to an archive in use."""
    return ARCHIVES / config["archives"][archive]["file"]


def in_use(*archives):
    """Refuse a target if the configuration leaves out all the archives that it is made from."""
    if not set(archives) & set(config["use"]):
        names = " or ".join(archives)
        stop(f"configuration key use: {names} is not in the list, but this target is made from it. Add {names} to use.")
    return archives


def archive_of_multilabel(wildcards):
    """The archive of the images that the multi-label annotations are about."""
    in_use("multilabel")
    return file_of(*in_use("val"))


def made_from_what_is_in_use(product):
    """An input function that adds nothing, but refuses the product where none of its archives is in use."""

    def nothing(wildcards):
        in_use(*configuration.ARCHIVES_OF_PRODUCT[product])
        return []

    return nothing


def verified(*archives):
    """An input function for the receipts of archives.

    Once an archive has been verified, its receipt is waited for as a checkpoint's: when the archive was touched, replaced
    or linked anew, what follows is decided after it was read again, by the receipt's content and not by its time stamp.
    For this to work, every rule below the archives names the receipts that it depends on, however indirectly. Snakemake
    looks again only at the jobs that wait for the checkpoint themselves. And a file may be taken as ancient() only beside
    a receipt of the same rule that is not. While a job runs whose outputs somebody takes as ancient alone, Snakemake
    does not ask whether that somebody is stale for another reason.
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


def by_attempt(amount):
    """A resource that grows with each attempt, for a job that a cluster stopped for want of it."""

    def grown(wildcards, attempt):
        return amount * attempt

    return grown


def space_of(kind, name):
    """The space in MB that an archive or a product's split fills."""
    (need,) = space.needs(config, space.There(), [(kind, name)])
    return need.nbytes / 1e6


def disk_of_archive(wildcards):
    """The space that an archive fills."""
    return math.ceil(space_of(space.ARCHIVE, NAME_OF_FILE[wildcards.file]))


def disk_of_batch(kind):
    """A resource: the space that a batch of class folders or shards fills, with a margin, since classes differ in size."""

    def disk(wildcards):
        first, last = batches.parse(wildcards.batch)
        share = (last - first + 1) / space.units(config, kind, wildcards.split)
        return math.ceil(1.25 * share * space_of(kind, wildcards.split))

    return disk


def memory_of_audit(wildcards, threads, attempt):
    """What the audit needs: the tables, and for each of its processes a shard's records."""
    return (1000 + 200 * threads) * attempt


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


def settings_of_file(wildcards, output):
    """The configuration of an archive, by the name of its file.

    Here and below, `output` is asked for since Snakemake compares no parameter that a function makes of it: another
    url, or another way to download, is no reason to link an archive again that is there, and then to verify it again.
    """
    return config["archives"][archive_of_file(wildcards, output)]


def archive_of_file(wildcards, output):
    """The name of an archive, by the name of its file."""
    return NAME_OF_FILE[Path(output[0]).name]


def local_of_file(wildcards, output):
    """Whether what comes from a path is linked or copied."""
    return config["download"]["local"]


def connections_of_file(wildcards, output):
    """How many connections fetch parts of an archive side by side."""
    return config["download"]["connections"]


def expected_of_file(wildcards, output):
    """What the configuration expects of an archive, by the name of its file."""
    return expected_of(settings_of_file(wildcards, output))


def spare_of_file(wildcards, output):
    """Where archives go that archives_dir does not take, since it is not writable."""
    return SPARE


def readme_of_page(wildcards, output):
    """What the page says of reading the products stands there; that it lies elsewhere now is no reason for a new page."""
    return f"{workflow.basedir}/README.md"


def expected(wildcards):
    """Checksums, algorithm and size that the configuration expects of an archive."""
    return expected_of(config["archives"][wildcards.archive])


def expected_of(settings):
    """The same, from an archive's configuration."""
    algorithm = "sha256" if settings["sha256"] else "md5"
    unpacked = {"unpacked_sha256": settings["unpacked_sha256"]} if settings["unpacked_sha256"] else {}
    return {"algorithm": algorithm, "checksum": settings[algorithm], "nbytes": settings["bytes"], **unpacked}


def state_of_archive(wildcards):
    """Size and modification time, so that an archive that was touched or replaced is verified again.

    Of an archive that was taken away after its verification the recorded state stands: what was made of it stays good.
    """
    try:
        state = file_of(wildcards.archive).stat()
        return f"{state.st_size} {state.st_mtime_ns}"
    except OSError:
        recorded = STATE / "archives" / f"{wildcards.archive}.stat"
        return recorded.read_text().strip() if recorded.exists() else None


def link_of_archive(wildcards):
    """The link to the archive in use."""
    return file_of(wildcards.archive)


def synthetic_archive(wildcards):
    """The archive that the workflow makes up, where the configuration asks for that."""
    return Path(config["archives_dir"]) / wildcards.file if config["synthetic"] else []


def scan_of_split(wildcards):
    """The scan of the archive that holds a split's images."""
    (archive,) = in_use(ARCHIVE_OF_SPLIT[wildcards.split])
    return STATE / "archives" / f"{archive}.parquet"


def boxes_of_split(wildcards):
    """The archive that holds a split's bounding boxes."""
    (archive,) = in_use(BOXES_OF_SPLIT[wildcards.split])
    return file_of(archive)


def folder_receipts(split):
    """The receipts of the batches of class folders that a split's tree is made in."""
    size = config["jobs"]["imagefolder_val_classes" if split == "validation" else "imagefolder_classes"]
    return batch_receipts("imagefolder", split, FOLDER_UNITS[split], size)


def folder_receipts_of_split(wildcards):
    """The same as an input function."""
    return folder_receipts(wildcards.split)


def val_dirs(wildcards):
    """How the class folders are called; only the validation set leaves a choice."""
    return config["imagefolder"]["val_dirs"] if wildcards.split == "validation" else "wnid"


def trees(*splits):
    """What the trees of these splits are known by: each one's receipt, and those of its batches."""
    return [path for split in splits for path in (*folder_receipts(split), STATE / "imagefolder" / f"{split}.json")]


def shard_receipts(product, split):
    """The receipts of the batches of shards, or of their indexes, that a split is made in."""
    size = config["jobs"][{"tfrecord": "tfrecord_shards", "tfrecord_index": "index_shards"}[product]]
    return batch_receipts(product, split, SHARDS[split], size)


def shard_receipts_of_split(wildcards):
    """The receipts of a split's batches of shards."""
    return shard_receipts("tfrecord", wildcards.split)


def index_receipts_of_split(wildcards):
    """The receipts of a split's batches of indexes."""
    return shard_receipts("tfrecord_index", wildcards.split)


def shard_receipts_of_batch(wildcards):
    """The receipts of the shards that a batch of indexes is made from."""
    first, last = batches.parse(wildcards.batch)
    return [path for path in shard_receipts("tfrecord", wildcards.split) if batches.overlaps(path, first, last)]


def boxes_of_records(wildcards):
    """The boxes that are joined into a split's records, where their archive is in use."""
    return ancient(STATE / "boxes" / f"{wildcards.split}.parquet") if wildcards.split in BOX_SPLITS else []


def receipt_of_boxes(wildcards):
    """The receipt of these boxes."""
    return STATE / "boxes" / f"{wildcards.split}.json" if wildcards.split in BOX_SPLITS else []


def shards_of_split(wildcards):
    """The number of shards of a split."""
    return SHARDS[wildcards.split]


def records(product, *splits):
    """What the shards or indexes of these splits are known by: each split's receipt, and those of its batches."""
    return [path for split in splits for path in (*shard_receipts(product, split), STATE / product / f"{split}.json")]


def predictions_of_model(wildcards):
    """A model's predictions, as Parquet if they are there so, else as CSV."""
    folder = Path(config["predictions_dir"])
    parquet = folder / f"{wildcards.model}.parquet"
    return parquet if parquet.exists() else folder / f"{wildcards.model}.csv"


def synthetic_archives():
    """The archives in use, by name."""
    return {name: Path(config["archives_dir"]) / config["archives"][name]["file"] for name in config["use"]}


def products_in_use():
    """The configured products that the audit looks at."""
    return [product for product in config["products"] if product not in ("audit", "report")]


def files_of_products():
    """What the configured products are known by."""
    files = {
        "imagefolder": trees(*SPLITS),
        "tfrecords": [*records("tfrecord", *RECORD_SPLITS), *rules.describe_records.output],
        "indexes": records("tfrecord_index", *RECORD_SPLITS),
        "bboxes": rules.tabulate_boxes.output,
        "multilabel": rules.tabulate_multilabel.output,
        "multilabel_tfrecords": rules.write_multilabel_records.output,
        "labels": LABEL_FILES,
    }
    return [path for product in products_in_use() for path in files[product]]


def everything():
    """What the default target asks for."""
    audited = rules.audit_products.output if "audit" in config["products"] else []
    shown = rules.write_page.output if "report" in config["products"] else []
    copies = rules.publish_products.output if config["publish"]["url"] else []
    return [*files_of_products(), *LABEL_FILES, *rules.tabulate_images.output, *audited, *shown, *copies]


def published(wildcards):
    """The receipt of what was published, where the configuration says where to."""
    if not config["publish"]["url"]:
        stop("configuration key publish.url: it is null. Write where to publish, such as gs://bucket/folder.")
    return rules.publish_products.output


def expect_writable(folder, remedy):
    """Stop if a folder, or the one in which it would be made, is not writable: Snakemake would fail in its own words."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if os.path.exists(path))
    if not os.access(existing, os.W_OK | os.X_OK):
        stop(f"{existing}: this folder is not writable for you. {remedy}.")


STOPPED = "You have stopped it. Run the same command again to go on."


def begin_run():
    """Look whether the run can write, and see to it that its last lines on the terminal are the causes of failures."""
    written = [path for it in workflow.dag.needrun_jobs() for path in (*it.output, *it.log, it.benchmark) if path]
    for folder in sorted({Path(path).parent for path in written}):
        expect_writable(folder, "Give yourself the right to write there, or choose another output_dir")
    job.forget_failures(LOGS)
    atexit.register(print_failures)
    if signal.getsignal(signal.SIGINT) is end_early:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    handle_sigterm_aside()


def end_early(number, frame):
    """End a run that has not begun its first job, and have Snakemake give its lock back."""
    if number == signal.SIGINT:
        atexit.register(print, STOPPED, file=sys.stderr)
    sys.exit(128 + number)


def handle_sigterm_aside():
    """Have SIGTERM handled in a thread of its own.

    Snakemake's handler waits for a lock. Where the code that it interrupts holds that lock, it would wait for ever.
    """
    handler = signal.getsignal(signal.SIGTERM)
    if callable(handler):
        signal.signal(signal.SIGTERM, lambda *told: threading.Thread(target=handler, args=told).start())


def unfinished_jobs():
    """Rule, subject and log of each job that this run is still to do; what has no log only gathers others."""
    for it in workflow.dag.needrun_jobs():
        if it.log:
            subjects = [value for name, value in it.wildcards_dict.items() if name != "batch"]
            yield it.rule.name, "".join(subjects), Path(it.log[0])


def show_run():
    """Show from now on how far the run is, in place of the jobs that share its terminal."""
    quiet = {str(it) for it in workflow.output_settings.quiet or ()}
    if TERMINAL is None or "all" in quiet:
        return
    progress.forget_reports(LOGS)
    progress.speak_for_jobs()
    live = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and "progress" not in quiet
    TERMINAL.show(sys.stderr, live, unfinished_jobs)


def end_run(succeeded, snakemake_log):
    """Say what the run has made, or how far it came."""
    # It is over in a moment, and Python would answer Ctrl-C by then with where it was.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    own_log = os.path.relpath(snakemake_log)

    def lines(run, seconds):
        if succeeded:
            return summary.of_success(run, seconds, config, own_log)
        return summary.of_failure(run, seconds, own_log)

    if TERMINAL:
        TERMINAL.end(lines)


def expect_empty_queue():
    """Stop if jobs of an earlier run go on that this run would do again."""
    jobids = {jobid for it in workflow.dag.needrun_jobs() for jobid in workflow.persistence.external_jobids(it)}
    try:
        queue.expect_none(jobids)
    except PrepError as error:
        stop(str(error))


def parts_to_come():
    """What this run makes of the parts that need space."""
    kinds = {"write_folders": space.IMAGEFOLDER, "write_shards": space.TFRECORD, "index_shards": space.TFRECORD_INDEX}
    parts = set()
    for it in workflow.dag.needrun_jobs():
        name = it.rule.name
        if name == "fetch_archive":
            parts.add((space.ARCHIVE, NAME_OF_FILE[it.wildcards.file]))
        elif name == "label_images":
            parts.add((space.REST, ""))
        elif name in kinds:
            parts.add((kinds[name], it.wildcards.split))
    return parts


def expect_room():
    """Show the space that this run needs, and stop if it is not there.

    Here and in no rule, since a rule's output would be an input of all others and could make them stale.
    """
    parts = parts_to_come()
    needed = space.needs(config, look(config, SPARE), parts) if parts else []
    rooms = verdict.rooms_of(needed)
    if needed:
        logger.info(verdict.as_table(needed, rooms))
    try:
        verdict.expect_room(needed, rooms)
    except PrepError as error:
        stop(str(error))


def expect_client():
    """Stop if this run is to publish, and has no client for that: rather now than when all has been made."""
    if any(it.rule.name == "publish_products" for it in workflow.dag.needrun_jobs()):
        try:
            bucket.expect_client(config["publish"]["url"])
        except PrepError as error:
            stop(str(error))


def print_failures():
    """Print the causes that failed jobs have left."""
    lines = job.failures(LOGS)
    if lines:
        print_errors(lines)


def explain_silent_failures(snakemake_log):
    """Say something of jobs, too, that could leave no cause, and of a run that was stopped."""
    said = Path(snakemake_log).read_text(encoding="utf-8")
    # Not always Snakemake itself notices Ctrl-C, which goes to its jobs, too.
    if any(sign in said for sign in ("Terminating processes on user request", "Signals.SIGINT", "exit status 130")):
        atexit.register(print, STOPPED, file=sys.stderr)
        return
    lines = [str(it) for it in stopped.without_a_word(said)]
    if not lines and not job.failures(LOGS):
        lines = [f"{snakemake_log}: the run was ended from outside, or by Snakemake itself, which says above why."]
    if lines:
        atexit.register(print_errors, lines)


TERMINAL = terminal.take(logger) if workflow.is_main_process else None

if workflow.is_main_process:
    signal.signal(signal.SIGTERM, end_early)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not so in the background of a shell
        signal.signal(signal.SIGINT, end_early)
    expect_writable(Path(".snakemake"), "Give yourself the right to write there, or run with --directory <another one>")
    try:
        presence.revoke_void_receipts(OUT)
        presence.remove_dead_links(ARCHIVES)
    except OSError as error:
        stop(job.describe(error, LOGS, OUT))
