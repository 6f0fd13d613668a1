"""ImageFolder: every image a file, in the folder of its class."""


def folder_receipts(split):
    """The receipts of the batches of class folders that a split's tree is made in."""
    size = config["jobs"]["imagefolder_classes"]
    return batch_receipts("imagefolder", split, FOLDER_UNITS[split], size)


def folder_receipts_of_split(wildcards):
    """The same as an input function."""
    return folder_receipts(wildcards.split)


def val_dirs(wildcards):
    """How the class folders are called; only the validation set leaves a choice."""
    return config["imagefolder"]["val_dirs"] if wildcards.split == "validation" else "wnid"


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
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Write image files of {wildcards.split}, classes {wildcards.batch}"
    params:
        classes=CLASS_PARAMS,
        val_dirs=val_dirs,
        version=versions.IMAGEFOLDER,
    conda:
        "../../envs/imagenet-prep.yaml"
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
    threads: 1
    resources:
        mem_mb=500,
    message:
        "Complete the ImageFolder of {wildcards.split}"
    conda:
        "../../envs/imagenet-prep.yaml"
    script:
        "../scripts/complete_tree.py"


def trees(*splits):
    """What the trees of these splits are known by: each one's receipt, and those of its batches."""
    return [path for split in splits for path in (*folder_receipts(split), STATE / "imagefolder" / f"{split}.json")]


rule imagefolder:
    """Every image of the archives in use as a file."""
    input:
        trees(*SPLITS),


rule imagefolder_train:
    """The ImageFolder of the training set."""
    input:
        trees("train"),


rule imagefolder_val:
    """The ImageFolder of the validation set."""
    input:
        trees("validation"),
