"""Functions for the rules of scores and of the page: which predictions there are, and which scores are asked for."""

from imagenet_prep.products import prediction_paths


def predictions_of(model):
    """The file of a model's predictions, in whichever form; it is there, unless a rule makes it."""
    folder = Path(config["predictions_dir"])
    # The demo's are made here, and a workflow that takes this one as a module may make its own.
    is_made = is_demo(model) or Path(workflow.main_snakefile).resolve() not in OWN
    with run.stopping(config):
        found = prediction_paths.find(folder, model)
        if found is None and not is_made:
            raise prediction_paths.missing(folder, model, SCORES / f"{model}.json")
    return found or folder / f"{model}.csv"


def predictions_of_model(wildcards):
    """The same, of the model that a job is about."""
    return predictions_of(wildcards.model)


def is_demo(model):
    """Whether the predictions of a model are made up here, if nobody has put others there."""
    return config["synthetic"] and model == "demo"


def scores_asked_for(wildcards):
    """The receipts of the scores that this run is asked for, which the page is to have; others are as they lie there."""
    models = {scores_of(path_of_target(word)) for word in sys.argv[1:] if word} - {None}
    return [str(SCORE_RECEIPT).format(model=model) for model in sorted(models)]


def page_with_scores():
    """The receipt of the page, where that is there and all else on it is as it is asked for now.

    Else it would bring along more than somebody wants who asks for scores; then the next run that makes it has them.
    """
    page = registry.PAGE.name
    is_there = all(Path(path).exists() for path in rules.write_page.output.page)
    return receipts(page) if is_there and PROVENANCE.has_needs_of(page) else []


def made_predictions(wildcards):
    """The receipt of the demo's predictions: of a file that is there Snakemake does not ask whether its receipt is."""
    is_made = is_demo(wildcards.model) and predictions_of_model(wildcards).name == "demo.csv"
    return receipts("predictions") if is_made else []


CHANGED_PREDICTIONS = {}


def changed_predictions(model):
    """What has a model scored again where its predictions are others than those that were scored, and not newer.

    Found out once for a run: the job that scores them takes away what it is found by.
    """
    if model not in CHANGED_PREDICTIONS:
        path, receipt = predictions_of(model), Path(str(SCORE_RECEIPT).format(model=model))
        is_there = path.exists() and receipt.exists() and not is_demo(model)
        change = prediction_paths.change(receipt, path) if is_there else None
        CHANGED_PREDICTIONS[model] = [str(CHANGE).format(model=model, change=change)] if change else []
    return CHANGED_PREDICTIONS[model]


def changed_predictions_of_model(wildcards):
    """The same, of the model that a job is about."""
    return changed_predictions(wildcards.model)
