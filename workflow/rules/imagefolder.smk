"""ImageFolder: every image a file, in the folder of its class."""


rule write_folders:
    """Write the images of a batch of classes straight from the archive."""
    input:
        archives=archives_of("imagefolder"),
        images=images_of_split,
        devkit=devkit,
    output:
        receipt=receipt_pattern("imagefolder", "{split}-{batch}"),
    log:
        LOGS / "write_folders" / "{split}-{batch}.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "write_folders" / "{split}-{batch}.{digest}.{number}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(60),
        disk_mb=disk_of_batch(space.IMAGEFOLDER),
    params:
        settings=settings_of("imagefolder"),
        archives=archive_names_of("imagefolder"),
    message:
        "Write image files of {wildcards.split}, classes {wildcards.batch}"
    script:
        "../scripts/write_folders.py"


rule imagefolder:
    """Every image of the archives in use as a file."""
    input:
        target("imagefolder", *of_splits("imagefolder", SPLITS), ("unused", ALL)),


rule imagefolder_train:
    """The ImageFolder of the training set."""
    input:
        target("imagefolder", ("imagefolder", "train")),


rule imagefolder_val:
    """The ImageFolder of the validation set."""
    input:
        target("imagefolder", ("imagefolder", "validation")),
