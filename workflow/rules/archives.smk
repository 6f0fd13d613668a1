"""Archives: linked or downloaded, verified, and searched for their images, each in one pass."""

IMAGE_ARCHIVES = [archive for archive in config["archives"] if archive in ARCHIVE_OF_SPLIT.values()]
OTHER_ARCHIVES = [archive for archive in config["archives"] if archive not in IMAGE_ARCHIVES]
NAME_OF_FILE = {settings["file"]: archive for archive, settings in config["archives"].items()}


# Where jobs run on a cluster, these run here: its nodes often reach nothing outside, and what is small needs no queue.
localrules:
    fetch_archive,
    verify_archive,


rule fetch_archive:
    """Link an archive that is there, or download it first."""
    input:
        synthetic_archive,
    output:
        ARCHIVES / "{file}",
    log:
        LOGS / "fetch_archive" / "{file}.log",
    benchmark:
        BENCHMARKS / "fetch_archive" / "{file}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(1440),
        disk_mb=disk_of_archive,
    params:
        archive=archive_of_file,
        settings=settings_of_file,
        archives_dir=config["archives_dir"],
        local=local_of_file,
        connections=connections_of_file,
        expected=expected_of_file,
        spare=spare_of_file,
    message:
        "Find or download {wildcards.file}"
    script:
        "../scripts/fetch_archive.py"


checkpoint verify_archive:
    """Read one of the other archives for its checksum, and a tar again: whether its members are whole."""
    input:
        link_of_archive,
    output:
        receipt=VERIFIED / "{archive}.json",
        state=STATE / "archives" / "{archive}.stat",
    log:
        LOGS / "verify_archive" / "{archive}.log",
    benchmark:
        BENCHMARKS / "verify_archive" / "{archive}.tsv"
    wildcard_constraints:
        archive="|".join(OTHER_ARCHIVES),
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 2
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    params:
        expected=expected,
        state=state_of_archive,
        version=versions.SCAN,
    message:
        "Verify archive {wildcards.archive}"
    script:
        "../scripts/verify_archive.py"


checkpoint scan_archive:
    """Read an image archive once: its checksum, and every image in it."""
    input:
        link_of_archive,
    output:
        receipt=VERIFIED / "{archive}.json",
        state=STATE / "archives" / "{archive}.stat",
        scan=STATE / "archives" / "{archive}.parquet",
    log:
        LOGS / "scan_archive" / "{archive}.log",
    benchmark:
        BENCHMARKS / "scan_archive" / "{archive}.tsv"
    wildcard_constraints:
        archive="|".join(IMAGE_ARCHIVES),
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 2
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(120),
        disk_mb=500,
    params:
        expected=expected,
        state=state_of_archive,
        version=versions.SCAN,
    message:
        "Verify archive {wildcards.archive} and find its images"
    script:
        "../scripts/scan_archive.py"


rule download:
    """Every archive in use is there."""
    input:
        [file_of(archive) for archive in config["use"]],


rule verify:
    """Every archive in use is there and is the right one."""
    input:
        [VERIFIED / f"{archive}.json" for archive in config["use"]],
