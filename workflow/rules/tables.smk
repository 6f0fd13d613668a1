"""Tables: images, bounding boxes, multi-label annotations."""


# Seconds each: not worth a place in a cluster's queue.
localrules:
    label_images,
    tabulate_images,
    tabulate_boxes,
    tabulate_multilabel,


checkpoint label_images:
    """Give every image of a split its class."""
    input:
        archives=archives_of("images"),
        scan=scan_of_split,
        devkit=devkit,
    output:
        receipt=receipt_pattern("images", "{split}"),
    log:
        LOGS / "label_images" / "{split}.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "label_images" / "{split}.{digest}.{number}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        settings=settings_of("images"),
        archives=archive_names_of("images"),
    message:
        "Label the images of {wildcards.split}"
    script:
        "../scripts/label_images.py"


rule tabulate_images:
    """Put the images of all splits into one table."""
    input:
        archives=archives_of("image_table"),
        images=inputs_of("image_table", "images"),
    output:
        table=TABLES / "images.parquet",
        receipt=own_receipt("image_table"),
    log:
        LOGS / "tabulate_images.log",
    benchmark:
        BENCHMARKS / "tabulate_images.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        settings=settings_of("image_table"),
        archives=archive_names_of("image_table"),
    message:
        "Write the table of images"
    script:
        "../scripts/tabulate_images.py"


checkpoint parse_boxes:
    """Read the bounding boxes of a split."""
    input:
        archives=archives_of("boxes"),
        devkit=devkit,
    output:
        receipt=receipt_pattern("boxes", "{split}"),
    log:
        LOGS / "parse_boxes" / "{split}.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "parse_boxes" / "{split}.{digest}.{number}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1500),
        runtime=by_attempt(30),
    params:
        settings=settings_of("boxes"),
        archives=archive_names_of("boxes"),
    message:
        "Read the bounding boxes of {wildcards.split}"
    script:
        "../scripts/parse_boxes.py"


rule tabulate_boxes:
    """Put the bounding boxes of both splits into one table."""
    input:
        archives=archives_of("bboxes"),
        boxes=inputs_of("bboxes", "boxes"),
    output:
        table=TABLES / "bboxes.parquet",
        receipt=own_receipt("bboxes"),
    log:
        LOGS / "tabulate_boxes.log",
    benchmark:
        BENCHMARKS / "tabulate_boxes.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        settings=settings_of("bboxes"),
        archives=archive_names_of("bboxes"),
    message:
        "Write the table of bounding boxes"
    script:
        "../scripts/tabulate_boxes.py"


rule tabulate_multilabel:
    """Read the multi-label annotations of the validation images into a table."""
    input:
        archives=archives_of("multilabel"),
        devkit=devkit,
    output:
        table=TABLES / "multilabel.parquet",
        receipt=own_receipt("multilabel"),
    log:
        LOGS / "tabulate_multilabel.log",
    benchmark:
        BENCHMARKS / "tabulate_multilabel.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        settings=settings_of("multilabel"),
        archives=archive_names_of("multilabel"),
    message:
        "Read the multi-label annotations"
    script:
        "../scripts/tabulate_multilabel.py"
