"""What is made from what, and how it is cut into jobs: the input functions of the rules, and their parameters."""

from imagenet_prep import batches


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
    made_from_what_is_in_use("multilabel_tfrecords")(wildcards)
    return file_of("val")


def made_from_what_is_in_use(product):
    """An input function that adds nothing, but refuses the product where archives that it needs are not in use."""

    def nothing(wildcards):
        for group in configuration.ARCHIVES_OF_PRODUCT[product]:
            in_use(*group)
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
    """What the page says of terms stands there; that it lies elsewhere now is no reason for a new page."""
    return f"{CHECKOUT}/README.md"


def readers_of_page(wildcards, output):
    """What the page says of reading the products, likewise."""
    return f"{CHECKOUT}/docs/readers.md"


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
