"""TFRecords straight from the archives, and their indexes."""

TFRECORD = OUT / "tfrecord"
TFRECORD_INDEX = OUT / "tfrecord_index"


# Seconds each: not worth a place in a cluster's queue.
localrules:
    complete_shards,
    describe_records,
    complete_indexes,


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
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1500),
        runtime=by_attempt(30),
    params:
        classes=CLASS_PARAMS,
        shards=shards_of_split,
        seed=config["tfrecord"]["seed"],
        label_base=config["tfrecord"]["label_base"],
        version=versions.SHARDS,
    message:
        "Plan the TFRecord shards of {wildcards.split}"
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
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(60),
        disk_mb=disk_of_batch(space.TFRECORD),
    params:
        cmyk_to_rgb=config["tfrecord"]["cmyk_to_rgb"],
        png_to_jpeg=config["tfrecord"]["png_to_jpeg"],
        version=versions.TFRECORD,
    message:
        "Write TFRecord shards of {wildcards.split}, {wildcards.batch}"
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
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    params:
        shards=shards_of_split,
    message:
        "Complete the TFRecords of {wildcards.split}"
    script:
        "../scripts/complete_shards.py"


rule describe_records:
    """Write what TensorFlow Datasets has to know of the shards."""
    input:
        made_from_what_is_in_use("tfrecords"),
        verified(
            "devkit", *(name for split in RECORD_SPLITS for name in (ARCHIVE_OF_SPLIT[split], BOXES_OF_SPLIT[split]))
        ),
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
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    params:
        classes=CLASS_PARAMS,
        label_base=config["tfrecord"]["label_base"],
        version=versions.TFRECORD,
    message:
        "Describe the TFRecords for TensorFlow Datasets"
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
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        version=versions.INDEX,
    message:
        "Index TFRecord shards of {wildcards.split}, {wildcards.batch}"
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
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    params:
        shards=shards_of_split,
    message:
        "Complete the indexes of {wildcards.split}"
    script:
        "../scripts/complete_indexes.py"


rule write_multilabel_records:
    """Write the multi-label set as TensorFlow Datasets publishes it."""
    input:
        verified("val", "devkit", "multilabel"),
        multilabel=rules.tabulate_multilabel.output[0],
        receipt=STATE / "images" / "validation.json",
        images=ancient(STATE / "images" / "validation.parquet"),
        archive=ancient(archive_of_multilabel),
        synsets=rules.parse_devkit.output.synsets,
    output:
        STATE / "tfrecord_multilabel" / "receipt.json",
    log:
        LOGS / "write_multilabel_records.log",
    benchmark:
        BENCHMARKS / "write_multilabel_records.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(60),
        disk_mb=4000,
    params:
        classes=CLASS_PARAMS,
        shards=SHARDS["validation"],
        seed=config["tfrecord"]["seed"],
        cmyk_to_rgb=config["tfrecord"]["cmyk_to_rgb"],
        png_to_jpeg=config["tfrecord"]["png_to_jpeg"],
        version=versions.MULTILABEL_TFRECORD,
    message:
        "Write the multi-label set for TensorFlow Datasets"
    script:
        "../scripts/write_multilabel_records.py"


rule tfrecords:
    """TFRecords of the training and the validation set."""
    input:
        records("tfrecord", *RECORD_SPLITS),
        STATE / "splits.json",
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
        made_from_what_is_in_use("indexes"),
        records("tfrecord_index", *RECORD_SPLITS),
        STATE / "splits.json",


rule multilabel_tfrecords:
    """The multi-label set as TFRecords, images included."""
    input:
        rules.write_multilabel_records.output,
