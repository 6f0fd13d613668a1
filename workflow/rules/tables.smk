"""Tables: images, bounding boxes, multi-label annotations."""

MULTILABEL_ARCHIVES = ("devkit", "multilabel")


# Seconds each: not worth a place in a cluster's queue.
localrules:
    label_images,
    tabulate_images,
    tabulate_boxes,
    tabulate_multilabel,


rule label_images:
    """Give every image of a split its class."""
    input:
        verified_for_images,
        synsets=rules.parse_devkit.output.synsets,
        ground_truth=rules.parse_devkit.output.ground_truth,
        scan=ancient(scan_of_split),
    output:
        images=STATE / "images" / "{split}.parquet",
        receipt=STATE / "images" / "{split}.json",
    log:
        LOGS / "label_images" / "{split}.log",
    benchmark:
        BENCHMARKS / "label_images" / "{split}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        archive=archive_of_split,
        classes=CLASS_PARAMS,
        class_count=CLASS_COUNT,
        version=versions.IMAGES,
    message:
        "Label the images of {wildcards.split}"
    script:
        "../scripts/label_images.py"


rule tabulate_images:
    """Put the images of all splits into one table."""
    input:
        verified(*config["use"]),
        receipts=[STATE / "images" / f"{split}.json" for split in SPLITS],
        parts=ancient([STATE / "images" / f"{split}.parquet" for split in SPLITS]),
    output:
        TABLES / "images.parquet",
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
    message:
        "Write the table of images"
    script:
        "../scripts/tabulate_images.py"


rule parse_boxes:
    """Read the bounding boxes of a split."""
    input:
        verified_for_boxes,
        synsets=rules.parse_devkit.output.synsets,
        ground_truth=rules.parse_devkit.output.ground_truth,
        archive=ancient(boxes_of_split),
    output:
        boxes=STATE / "boxes" / "{split}.parquet",
        receipt=STATE / "boxes" / "{split}.json",
    log:
        LOGS / "parse_boxes" / "{split}.log",
    benchmark:
        BENCHMARKS / "parse_boxes" / "{split}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1500),
        runtime=by_attempt(30),
    params:
        version=versions.BOXES,
    message:
        "Read the bounding boxes of {wildcards.split}"
    script:
        "../scripts/parse_boxes.py"


rule tabulate_boxes:
    """Put the bounding boxes of both splits into one table."""
    input:
        made_from_what_is_in_use("bboxes"),
        verified("devkit", *BOXES_OF_SPLIT.values()),
        receipts=[STATE / "boxes" / f"{split}.json" for split in BOX_SPLITS],
        parts=ancient([STATE / "boxes" / f"{split}.parquet" for split in BOX_SPLITS]),
    output:
        TABLES / "bboxes.parquet",
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
        wnids=config["classes"],
    message:
        "Write the table of bounding boxes"
    script:
        "../scripts/tabulate_boxes.py"


rule tabulate_multilabel:
    """Read the multi-label annotations of the validation images into a table."""
    input:
        made_from_what_is_in_use("multilabel"),
        verified(*MULTILABEL_ARCHIVES),
        synsets=rules.parse_devkit.output.synsets,
        ground_truth=rules.parse_devkit.output.ground_truth,
        annotations=ancient(file_of("multilabel")),
    output:
        TABLES / "multilabel.parquet",
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
        classes=CLASS_PARAMS,
        version=versions.MULTILABEL,
    message:
        "Read the multi-label annotations"
    script:
        "../scripts/tabulate_multilabel.py"


rule bboxes:
    """The table of bounding boxes."""
    input:
        rules.tabulate_boxes.output,


rule multilabel:
    """The table of multi-label annotations."""
    input:
        rules.tabulate_multilabel.output,
