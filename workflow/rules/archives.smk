"""Archives: linked or downloaded, verified, and searched for their images, each in one pass.

No archive, and no link to one, is an input or output of a rule: Snakemake deletes outputs before their rule runs again.
"""

IMAGE_ARCHIVES = [name for name in DATASET.archives if name in DATASET.of_archive]
OTHER_ARCHIVES = [name for name in DATASET.archives if name not in DATASET.of_archive]


# Those that lie there, or are to be made up, and have no link yet.
TO_LINK = [
    name
    for name in config["use"]
    if (PROVENANCE.archive(name) or PROVENANCE.makes_up(name)) and not PROVENANCE.fetched(name).exists()
]


# Where jobs run on a cluster, these run here: its nodes often reach nothing outside, and what is small needs no queue.
localrules:
    link_archives,
    fetch_archive,
    verify_archive,
    report_archives,


ruleorder: link_archives > fetch_archive


rule link_archives:
    """Link all archives that are there already."""
    input:
        made_up_archives_to_link,
    output:
        receipts=links(TO_LINK),
    log:
        LOGS / "link_archives.log",
    benchmark:
        BENCHMARKS / "link_archives.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    params:
        archives=TO_LINK,
        expected=[expected(config, name) for name in TO_LINK],
    message:
        "Link the archives that are there"
    script:
        "../scripts/fetch_archives.py"


rule fetch_archive:
    """Download an archive, and link it; one that is there is linked."""
    input:
        made_up_archives,
    output:
        receipts=[receipt_pattern("fetched", "{archive}")],
    log:
        LOGS / "fetch_archive" / "{archive}.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "fetch_archive" / "{archive}.{digest}.{number}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(1440),
        disk_mb=disk_of_archive,
    params:
        archives=lambda wildcards: [wildcards.archive],
        expected=lambda wildcards: [archive_settings(wildcards)],
    message:
        "Find or download archive {wildcards.archive}"
    script:
        "../scripts/fetch_archives.py"


checkpoint verify_archive:
    """Read one of the other archives for its checksum, and a tar again: whether its members are whole."""
    input:
        link_of_archive,
    output:
        receipt=receipt_pattern("archives", "{archive}"),
    log:
        LOGS / "verify_archive" / "{archive}.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "verify_archive" / "{archive}.{digest}.{number}.tsv"
    wildcard_constraints:
        archive="|".join(OTHER_ARCHIVES),
    priority: FIRST
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    params:
        settings=archive_settings,
        archives=[],
    message:
        "Verify archive {wildcards.archive}"
    script:
        "../scripts/verify_archive.py"


checkpoint scan_archive:
    """Read an image archive once: its checksum, and every image in it."""
    input:
        link_of_archive,
    output:
        receipt=receipt_pattern("archives", "{archive}"),
    log:
        LOGS / "scan_archive" / "{archive}.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "scan_archive" / "{archive}.{digest}.{number}.tsv"
    wildcard_constraints:
        archive="|".join(IMAGE_ARCHIVES),
    priority: FIRST
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(120),
        disk_mb=500,
    params:
        settings=archive_settings,
        archives=[],
    message:
        "Verify archive {wildcards.archive} and find its images"
    script:
        "../scripts/scan_archive.py"


rule download:
    """Every archive in use is there."""
    input:
        links(config["use"]),


rule report_archives:
    """Say of all archives that were looked at which are missing or wrong, and fail where some are."""
    input:
        links(config["use"]),
        archives_looked_at,
    output:
        temp(STATE / "archives_reported"),
    log:
        LOGS / "report_archives.log",
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    message:
        "Say which archives are missing or wrong"
    script:
        "../scripts/report_archives.py"


rule verify:
    """Every archive in use is there and is the right one; else all that are not are named."""
    input:
        links(config["use"]),
        scans(config["use"]),
        report_of_archives,
