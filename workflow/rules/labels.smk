"""The devkit, and the label files made of it."""

from imagenet_prep.dataset import names

LABEL_FILES = [LABELS / name for name in names.LABEL_FILES]
CLASS_PARAMS = {"wnids": config["classes"], "subset_labels": config["subset_labels"]}


# Seconds each: not worth a place in a cluster's queue.
localrules:
    parse_devkit,
    write_labels,


rule parse_devkit:
    """Read the synsets and the validation labels out of the devkit."""
    input:
        verified("devkit"),
        devkit=ancient(file_of("devkit")),
    output:
        synsets=STATE / "devkit" / "synsets.parquet",
        ground_truth=STATE / "devkit" / "ground_truth.parquet",
    log:
        LOGS / "parse_devkit.log",
    benchmark:
        BENCHMARKS / "parse_devkit.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        version=versions.DEVKIT,
    message:
        "Read the devkit"
    script:
        "../scripts/parse_devkit.py"


rule write_labels:
    """Write the classes in every numbering that people use, and the validation labels in all of them."""
    input:
        verified("devkit"),
        synsets=rules.parse_devkit.output.synsets,
        ground_truth=rules.parse_devkit.output.ground_truth,
    output:
        LABEL_FILES,
    log:
        LOGS / "write_labels.log",
    benchmark:
        BENCHMARKS / "write_labels.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        classes=CLASS_PARAMS,
        version=versions.LABELS,
    message:
        "Write the label files"
    script:
        "../scripts/write_labels.py"


rule labels:
    """Classes, synsets and validation labels."""
    input:
        LABEL_FILES,
