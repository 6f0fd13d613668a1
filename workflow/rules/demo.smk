"""The synthetic ILSVRC2012, where the configuration asks for it."""


# Seconds each: not worth a place in a cluster's queue.
localrules:
    synthesize_archives,
    predict_demo,


rule synthesize_archives:
    """Make up an ILSVRC2012 of the configured size, with the real one's structure and its troubles."""
    output:
        receipt=PROVENANCE.made_up(),
    log:
        LOGS / "synthesize_archives.log",
    benchmark:
        BENCHMARKS / "synthesize_archives.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        settings=config["synthetic"],
        archives=synthetic_archives(),
    message:
        "Make up a small ILSVRC2012"
    script:
        "../scripts/synthesize_archives.py"


rule predict_demo:
    """Make up the predictions of a model that errs by a rule."""
    input:
        archives=archives_of("predictions"),
        devkit=devkit,
    output:
        predictions=Path(config["predictions_dir"]) / "demo.csv",
        receipt=own_receipt("predictions"),
    log:
        LOGS / "predict_demo.log",
    benchmark:
        BENCHMARKS / "predict_demo.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    params:
        settings=settings_of("predictions"),
        archives=archive_names_of("predictions"),
    message:
        "Make up the predictions of a model"
    script:
        "../scripts/predict_demo.py"
