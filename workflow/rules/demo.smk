"""The synthetic ILSVRC2012, where the configuration asks for it."""


def synthetic_archives():
    """The archives in use, by name."""
    return {name: Path(config["archives_dir"]) / config["archives"][name]["file"] for name in config["use"]}


rule synthesize_archives:
    """Make up an ILSVRC2012 of the configured size, with the real one's structure and its troubles."""
    output:
        **synthetic_archives(),
    log:
        LOGS / "synthesize_archives.log",
    benchmark:
        BENCHMARKS / "synthesize_archives.tsv"
    threads: 1
    resources:
        mem_mb=1000,
    message:
        "Make up a small ILSVRC2012"
    params:
        settings=config["synthetic"],
    conda:
        "../../envs/imagenet-prep.yaml"
    script:
        "../scripts/synthesize_archives.py"
