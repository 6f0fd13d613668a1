"""ImageFolder: every image a file, in the folder of its class."""


# Seconds each: not worth a place in a cluster's queue.
localrules:
    complete_tree,


rule write_folders:
    """Write the images of a batch of classes straight from the archive."""
    input:
        verified_for_images,
        receipt=STATE / "images" / "{split}.json",
        images=ancient(STATE / "images" / "{split}.parquet"),
        archive=ancient(archive_of_split),
        synsets=rules.parse_devkit.output.synsets,
    output:
        STATE / "imagefolder" / "{split}-{batch}.json",
    log:
        LOGS / "write_folders" / "{split}-{batch}.log",
    benchmark:
        BENCHMARKS / "write_folders" / "{split}-{batch}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(60),
        disk_mb=disk_of_batch(space.IMAGEFOLDER),
    params:
        classes=CLASS_PARAMS,
        val_dirs=val_dirs,
        version=versions.IMAGEFOLDER,
    message:
        "Write image files of {wildcards.split}, classes {wildcards.batch}"
    script:
        "../scripts/write_folders.py"


rule complete_tree:
    """Take away what an older configuration left in a tree."""
    input:
        verified_for_images,
        batches=folder_receipts_of_split,
    output:
        STATE / "imagefolder" / "{split}.json",
    log:
        LOGS / "complete_tree" / "{split}.log",
    benchmark:
        BENCHMARKS / "complete_tree" / "{split}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    message:
        "Complete the ImageFolder of {wildcards.split}"
    script:
        "../scripts/complete_tree.py"


rule imagefolder:
    """Every image of the archives in use as a file."""
    input:
        made_from_what_is_in_use("imagefolder"),
        trees(*SPLITS),
        STATE / "splits.json",


rule imagefolder_train:
    """The ImageFolder of the training set."""
    input:
        trees("train"),


rule imagefolder_val:
    """The ImageFolder of the validation set."""
    input:
        trees("validation"),
