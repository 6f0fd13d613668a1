"""Scores of predictions: results/scores/<model>.json of what lies in predictions/ under the model's name."""

SCORES = OUT / "scores"
# Models have no numbers: their scores are asked for by the names of files alone.
SCORE_RECEIPT = STATE / "scores" / f"{{model}}.{PROVENANCE.digest('scores')}.1.json"
CHANGE = STATE / "changed_predictions" / "{model}.{change}.json"


# Seconds each: not worth a place in a cluster's queue.
localrules:
    note_predictions,
    score_predictions,


rule note_predictions:
    """Take down that a model's predictions are others than those that were scored, whatever their time."""
    output:
        change=CHANGE,
    log:
        LOGS / "note_predictions" / "{model}.{change}.log",
    benchmark:
        BENCHMARKS / "note_predictions" / "{model}.{change}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    message:
        "Note that there are other predictions of {wildcards.model}"
    script:
        "../scripts/note_predictions.py"


rule score_predictions:
    """Score a model's predictions by the original, the ReaL and the multi-label annotations."""
    input:
        archives=archives_of("scores"),
        predictions=predictions_of_model,
        changed=changed_predictions_of_model,
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
        mem_mb=by_attempt(2000),
        runtime=by_attempt(30),
    params:
        settings=settings_of("scores"),
        archives=archive_names_of("scores"),
    message:
        "Score the predictions of {wildcards.model}"
    script:
        "../scripts/score_predictions.py"
