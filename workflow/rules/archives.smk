"""Archives: linked or downloaded, verified, and searched for their images, each in one pass."""

IMAGE_ARCHIVES = [archive for archive in config["archives"] if archive in ARCHIVE_OF_SPLIT.values()]
OTHER_ARCHIVES = [archive for archive in config["archives"] if archive not in IMAGE_ARCHIVES]
NAME_OF_FILE = {settings["file"]: archive for archive, settings in config["archives"].items()}


def settings_of_file(wildcards):
    """The configuration of an archive, by the name of its file."""
    return config["archives"][NAME_OF_FILE[wildcards.file]]


def expected(wildcards):
    """Checksum, algorithm and size that the configuration expects of an archive."""
    settings = config["archives"][wildcards.archive]
    algorithm = "sha256" if settings["sha256"] else "md5"
    return {"algorithm": algorithm, "checksum": settings[algorithm], "nbytes": settings["bytes"]}


def state_of_archive(wildcards):
    """Size and modification time, so that an archive that was touched or replaced is verified again.

    Of an archive that was taken away after its verification the recorded state stands: what was made of it stays good.
    """
    try:
        state = file_of(wildcards.archive).stat()
        return f"{state.st_size} {state.st_mtime_ns}"
    except OSError:
        recorded = STATE / "archives" / f"{wildcards.archive}.stat"
        return recorded.read_text().strip() if recorded.exists() else None


def link_of_archive(wildcards):
    """The link to the archive in use."""
    return file_of(wildcards.archive)


def synthetic_archive(wildcards):
    """The archive that the workflow makes up, where the configuration asks for that."""
    return ancient(Path(config["archives_dir"]) / wildcards.file) if config["synthetic"] else []


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
    threads: 1
    resources:
        mem_mb=500,
    message:
        "Find or download {wildcards.file}"
    params:
        settings=settings_of_file,
        archives_dir=config["archives_dir"],
        local=config["download"]["local"],
    conda:
        "../../envs/imagenet-prep.yaml"
    script:
        "../scripts/fetch_archive.py"


checkpoint verify_archive:
    """Read an archive once: its checksum, and whether its members are whole."""
    input:
        ancient(link_of_archive),
    output:
        receipt=VERIFIED / "{archive}.json",
        state=STATE / "archives" / "{archive}.stat",
    log:
        LOGS / "verify_archive" / "{archive}.log",
    benchmark:
        BENCHMARKS / "verify_archive" / "{archive}.tsv"
    threads: 2
    resources:
        mem_mb=500,
    message:
        "Verify archive {wildcards.archive}"
    params:
        expected=expected,
        state=state_of_archive,
        version=versions.SCAN,
    wildcard_constraints:
        archive="|".join(OTHER_ARCHIVES),
    conda:
        "../../envs/imagenet-prep.yaml"
    script:
        "../scripts/verify_archive.py"


checkpoint scan_archive:
    """Read an image archive once: its checksum, and every image in it."""
    input:
        ancient(link_of_archive),
    output:
        receipt=VERIFIED / "{archive}.json",
        state=STATE / "archives" / "{archive}.stat",
        scan=STATE / "archives" / "{archive}.parquet",
    log:
        LOGS / "scan_archive" / "{archive}.log",
    benchmark:
        BENCHMARKS / "scan_archive" / "{archive}.tsv"
    threads: 2
    resources:
        mem_mb=1000,
    message:
        "Verify archive {wildcards.archive} and find its images"
    params:
        expected=expected,
        state=state_of_archive,
        version=versions.SCAN,
    wildcard_constraints:
        archive="|".join(IMAGE_ARCHIVES),
    conda:
        "../../envs/imagenet-prep.yaml"
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
