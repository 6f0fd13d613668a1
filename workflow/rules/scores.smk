"""Scores of predictions: results/scores/<model>.json of predictions/<model>.csv or .parquet."""

SCORES = OUT / "scores"
# Models have no numbers: their scores are asked for by the names of files alone.
SCORE_RECEIPT = STATE / "scores" / f"{{model}}.{PROVENANCE.digest('scores')}.1.json"


# Seconds each: not worth a place in a cluster's queue.
localrules:
    score_predictions,


rule score_predictions:
    """Score a model's predictions by the original, the ReaL and the multi-label annotations."""
    input:
        archives=archives_of("scores"),
        predictions=predictions_of_model,
        made=made_predictions,
        devkit=devkit,
        multilabel=inputs_of("scores", "multilabel"),
    output:
        scores=SCORES / "{model}.json",
        classes=SCORES / "{model}.classes.csv",
        picture=SCORES / "{model}.png",
        receipt=SCORE_RECEIPT,
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
        settings=settings_of("scores"),
        archives=archive_names_of("scores"),
    message:
        "Score the predictions of {wildcards.model}"
    script:
        "../scripts/score_predictions.py"
