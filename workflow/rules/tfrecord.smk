"""TFRecords straight from the archives, and their indexes."""

TFRECORD = OUT / "tfrecord"
TFRECORD_INDEX = OUT / "tfrecord_index"


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


rule plan_shards:
    """Decide which image goes into which shard, and where."""
    input:
        verified_for_records,
        receipt_of_boxes,
        receipt=STATE / "images" / "{split}.json",
        images=ancient(STATE / "images" / "{split}.parquet"),
        boxes=boxes_of_records,
        synsets=rules.parse_devkit.output.synsets,
    output:
        plan=STATE / "plan" / "{split}.parquet",
        receipt=STATE / "plan" / "{split}.json",
    log:
        LOGS / "plan_shards" / "{split}.log",
    benchmark:
        BENCHMARKS / "plan_shards" / "{split}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Plan the TFRecord shards of {wildcards.split}"
    params:
        classes=CLASS_PARAMS,
        shards=shards_of_split,
        seed=config["tfrecord"]["seed"],
        label_base=config["tfrecord"]["label_base"],
        version=versions.SHARDS,
    conda:
        "../../envs/imagenet-prep.yaml"
    script:
        "../scripts/plan_shards.py"


rule write_shards:
    """Write a batch of shards straight from the archive."""
    input:
        verified_for_records,
        receipt=STATE / "plan" / "{split}.json",
        plan=ancient(STATE / "plan" / "{split}.parquet"),
        archive=ancient(archive_of_split),
    output:
        STATE / "tfrecord" / "{split}-{batch}.json",
    log:
        LOGS / "write_shards" / "{split}-{batch}.log",
    benchmark:
        BENCHMARKS / "write_shards" / "{split}-{batch}.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Write TFRecord shards of {wildcards.split}, {wildcards.batch}"
    params:
        cmyk_to_rgb=config["tfrecord"]["cmyk_to_rgb"],
        png_to_jpeg=config["tfrecord"]["png_to_jpeg"],
        version=versions.TFRECORD,
    conda:
        "../../envs/imagenet-prep.yaml"
    script:
        "../scripts/write_shards.py"


rule complete_shards:
    """Take away the shards that an older configuration left."""
    input:
        verified_for_records,
        batches=shard_receipts_of_split,
    output:
        STATE / "tfrecord" / "{split}.json",
    log:
        LOGS / "complete_shards" / "{split}.log",
    benchmark:
        BENCHMARKS / "complete_shards" / "{split}.tsv"
    threads: 1
    resources:
        mem_mb=500,
    message:
        "Complete the TFRecords of {wildcards.split}"
    params:
        shards=shards_of_split,
    conda:
        "../../envs/imagenet-prep.yaml"
    script:
        "../scripts/complete_shards.py"


rule describe_records:
    """Write what TensorFlow Datasets has to know of the shards."""
    input:
        verified("devkit", *(name for split in RECORD_SPLITS for name in (ARCHIVE_OF_SPLIT[split], BOXES_OF_SPLIT[split]))),
        splits=[STATE / "tfrecord" / f"{split}.json" for split in RECORD_SPLITS],
        synsets=rules.parse_devkit.output.synsets,
    output:
        features=TFRECORD / "features.json",
        info=TFRECORD / "dataset_info.json",
        label_names=TFRECORD / "image-class-label.labels.txt",
    log:
        LOGS / "describe_records.log",
    benchmark:
        BENCHMARKS / "describe_records.tsv"
    threads: 1
    resources:
        mem_mb=500,
    message:
        "Describe the TFRecords for TensorFlow Datasets"
    params:
        classes=CLASS_PARAMS,
        label_base=config["tfrecord"]["label_base"],
        version=versions.TFRECORD,
    conda:
        "../../envs/imagenet-prep.yaml"
    script:
        "../scripts/describe_records.py"


rule index_shards:
    """Find every record of a batch of shards."""
    input:
        verified_for_records,
        shards=shard_receipts_of_batch,
    output:
        STATE / "tfrecord_index" / "{split}-{batch}.json",
    log:
        LOGS / "index_shards" / "{split}-{batch}.log",
    benchmark:
        BENCHMARKS / "index_shards" / "{split}-{batch}.tsv"
    threads: 1
    resources:
        mem_mb=500,
    message:
        "Index TFRecord shards of {wildcards.split}, {wildcards.batch}"
    params:
        version=versions.INDEX,
    conda:
        "../../envs/imagenet-prep.yaml"
    script:
        "../scripts/index_shards.py"


rule complete_indexes:
    """Take away the indexes that an older configuration left."""
    input:
        verified_for_records,
        batches=index_receipts_of_split,
    output:
        STATE / "tfrecord_index" / "{split}.json",
    log:
        LOGS / "complete_indexes" / "{split}.log",
    benchmark:
        BENCHMARKS / "complete_indexes" / "{split}.tsv"
    threads: 1
    resources:
        mem_mb=500,
    message:
        "Complete the indexes of {wildcards.split}"
    params:
        shards=shards_of_split,
    conda:
        "../../envs/imagenet-prep.yaml"
    script:
        "../scripts/complete_indexes.py"


def records(product, *splits):
    """What the shards or indexes of these splits are known by: each split's receipt, and those of its batches."""
    return [path for split in splits for path in (*shard_receipts(product, split), STATE / product / f"{split}.json")]


rule tfrecords:
    """TFRecords of the training and the validation set."""
    input:
        records("tfrecord", *RECORD_SPLITS),
        rules.describe_records.output,


rule tfrecords_train:
    """TFRecords of the training set."""
    input:
        records("tfrecord", "train"),


rule tfrecords_validation:
    """TFRecords of the validation set."""
    input:
        records("tfrecord", "validation"),


rule indexes:
    """An index of every shard."""
    input:
        records("tfrecord_index", *RECORD_SPLITS),
