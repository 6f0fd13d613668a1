"""The devkit, and the label files made of it."""


# Seconds each: not worth a place in a cluster's queue.
localrules:
    parse_devkit,
    write_labels,


checkpoint parse_devkit:
    """Read the synsets and the validation labels out of the devkit."""
    input:
        archives=archives_of("devkit"),
    output:
        receipt=receipt_pattern("devkit", ALL),
    log:
        LOGS / "parse_devkit" / "all.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "parse_devkit" / "all.{digest}.{number}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        settings=settings_of("devkit"),
        archives=archive_names_of("devkit"),
    message:
        "Read the devkit"
    script:
        "../scripts/parse_devkit.py"


rule write_labels:
    """Write the classes in every numbering that people use, and the validation labels in all of them."""
    input:
        archives=archives_of("labels"),
        devkit=devkit,
    output:
        labels=[OUT / path for path in registry.LABELS.files(config)],
        receipt=own_receipt("labels"),
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
        settings=settings_of("labels"),
        archives=archive_names_of("labels"),
    message:
        "Write the label files"
    script:
        "../scripts/write_labels.py"
