"""TFRecords straight from the archives, and their indexes."""

from imagenet_prep.products import tfds

TFRECORD = OUT / "tfrecord"


# Seconds each: not worth a place in a cluster's queue.
localrules:
    describe_records,


checkpoint plan_shards:
    """Decide which image goes into which shard, and where."""
    input:
        archives=archives_of("plan"),
        images=images_of_split,
        boxes=needed("plan", "boxes"),
        devkit=devkit,
    output:
        receipt=receipt_pattern("plan", "{split}"),
    log:
        LOGS / "plan_shards" / "{split}.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "plan_shards" / "{split}.{digest}.{number}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1500),
        runtime=by_attempt(30),
    params:
        settings=settings_of("plan"),
        archives=archive_names_of("plan"),
    message:
        "Plan the TFRecord shards of {wildcards.split}"
    script:
        "../scripts/plan_shards.py"


rule write_shards:
    """Write a batch of shards straight from the archive."""
    input:
        archives=archives_of("tfrecord"),
        plan=plan_of_split,
    output:
        receipt=receipt_pattern("tfrecord", "{split}-{batch}"),
    log:
        LOGS / "write_shards" / "{split}-{batch}.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "write_shards" / "{split}-{batch}.{digest}.{number}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(60),
        disk_mb=disk_of_batch(space.TFRECORD),
    params:
        settings=settings_of("tfrecord"),
        archives=archive_names_of("tfrecord"),
    message:
        "Write TFRecord shards of {wildcards.split}, {wildcards.batch}"
    script:
        "../scripts/write_shards.py"


rule describe_records:
    """Write what TensorFlow Datasets has to know of the shards."""
    input:
        archives=archives_of("tfrecord_description"),
        batches=batches_of_records,
        devkit=devkit,
    output:
        description=[TFRECORD / name for name in tfds.DESCRIPTION],
        receipt=own_receipt("tfrecord_description"),
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
        settings=settings_of("tfrecord_description"),
        archives=archive_names_of("tfrecord_description"),
    message:
        "Describe the TFRecords for TensorFlow Datasets"
    script:
        "../scripts/describe_records.py"


rule index_shards:
    """Find every record of a batch of shards."""
    input:
        archives=archives_of("tfrecord_index"),
        shards=records_of_batch,
    output:
        receipt=receipt_pattern("tfrecord_index", "{split}-{batch}"),
    log:
        LOGS / "index_shards" / "{split}-{batch}.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "index_shards" / "{split}-{batch}.{digest}.{number}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        settings=settings_of("tfrecord_index"),
        archives=archive_names_of("tfrecord_index"),
    message:
        "Index TFRecord shards of {wildcards.split}, {wildcards.batch}"
    script:
        "../scripts/index_shards.py"


rule write_multilabel_records:
    """Write the multi-label set as TensorFlow Datasets publishes it."""
    input:
        archives=archives_of("tfrecord_multilabel"),
        multilabel=rules.tabulate_multilabel.output.receipt,
        images=multilabel_images,
        devkit=devkit,
    output:
        receipt=receipt_pattern("tfrecord_multilabel", ALL),
    log:
        LOGS / "write_multilabel_records" / "all.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "write_multilabel_records" / "all.{digest}.{number}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(60),
        disk_mb=disk_of_multilabel,
    params:
        settings=settings_of("tfrecord_multilabel"),
        archives=archive_names_of("tfrecord_multilabel"),
    message:
        "Write the multi-label set for TensorFlow Datasets"
    script:
        "../scripts/write_multilabel_records.py"


rule tfrecords:
    """TFRecords of the training and the validation set."""
    input:
        target("tfrecords", *of_splits("tfrecord", RECORD_SPLITS), ("tfrecord_description", ALL), ("unused", ALL)),


rule tfrecords_train:
    """TFRecords of the training set."""
    input:
        target("tfrecords", ("tfrecord", "train")),


rule tfrecords_validation:
    """TFRecords of the validation set."""
    input:
        target("tfrecords", ("tfrecord", "validation")),


rule indexes:
    """An index of every shard."""
    input:
        target("indexes", *of_splits("tfrecord_index", RECORD_SPLITS), ("unused", ALL)),


rule multilabel_tfrecords:
    """The multi-label set as TFRecords, images included."""
    input:
        target("multilabel_tfrecords", ("tfrecord_multilabel", ALL)),
