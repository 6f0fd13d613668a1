"""Scores of predictions: results/scores/<model>.json of predictions/<model>.csv or .parquet."""

SCORES = OUT / "scores"


# Seconds each: not worth a place in a cluster's queue.
localrules:
    score_predictions,


rule score_predictions:
    """Score a model's predictions by the original, the ReaL and the multi-label annotations."""
    input:
        verified("devkit", "real_labels", "multilabel"),
        predictions=predictions_of_model,
        synsets=rules.parse_devkit.output.synsets,
        ground_truth=rules.parse_devkit.output.ground_truth,
        real=ancient([file_of("real_labels")] if "real_labels" in config["use"] else []),
        multilabel=rules.tabulate_multilabel.output if "multilabel" in config["use"] else [],
    output:
        scores=SCORES / "{model}.json",
        classes=SCORES / "{model}.classes.csv",
        picture=SCORES / "{model}.png",
    log:
        LOGS / "score_predictions" / "{model}.log",
    benchmark:
        BENCHMARKS / "score_predictions" / "{model}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(30),
    params:
        classes=CLASS_PARAMS,
        version=versions.SCORES,
    message:
        "Score the predictions of {wildcards.model}"
    script:
        "../scripts/score_predictions.py"
