"""Files that are asked for by their names, as targets.

A rule that makes a file has its receipt as an output, too, but of a file that is there Snakemake does not ask whether its
receipt is there. So a file that is named on the command line is a target like any other: a rule of that name, which asks
for the receipt.
"""

STEP_OF_FILE = {
    **{path: product.name for product in registry.ALL_PRODUCTS for path in product.files(config)},
    **{path: it.description for it in registry.SPLIT_PRODUCTS.values() for path in it.files(config)},
    **{path: registry.SAMPLES.name for path in registry.SAMPLES.files(config)},
    **{str(Path(path).relative_to(OUT)): registry.PAGE.name for path in rules.write_page.output.page},
}


def scores_of(path):
    """The model whose scores a file is of; None where it is none of these."""
    found = re.fullmatch(r"([^/]+?)(?:\.json|\.classes\.csv|\.png)", path.name) if path.parent == SCORES else None
    return found and found[1]


def named_on_command_line():
    """What may be a target of this run; nothing where something is to be made anew, whatever lies there."""
    words = sys.argv[1:]
    return [] if any(re.match(r"-[fFR]|--force", word) for word in words) else sorted(set(words))


def path_of_target(name):
    """The path of a target, as those of the files are written here."""
    return Path(os.path.relpath(name)) if not OUT.is_absolute() else Path(os.path.abspath(name))


def receipts_of_file(name):
    """What is asked for by the name of a file; nothing where no rule makes a file of this very name."""
    path = path_of_target(name)
    step = {OUT / known: step for known, step in STEP_OF_FILE.items()}.get(path)
    if step:
        return target("", (step, ALL))
    if path.parent == VERIFIED and path.stem in config["archives"]:
        return target("", archives=[path.stem])
    model = scores_of(path)
    if model:
        receipt = str(SCORE_RECEIPT).format(model=model)
        scored = [SCORES / f"{model}.{kind}" for kind in ("json", "classes.csv", "png")]
        own = [*scored, receipt, *page_with_scores(), *changed_predictions(model)]
        return target("", *PROVENANCE.needs("scores"), own=own)
    return None


for NAME in sorted({word.partition(":")[0] for word in sys.argv[1:]} & registry.FORMER_TARGETS.keys()):
    run.stop(f"target {NAME}: it is called {registry.FORMER_TARGETS[NAME]} now. Write that in its place.")

for FILE in named_on_command_line():
    if receipts_of_file(FILE):

        rule:
            name:
                FILE
            input:
                receipts_of_file(FILE),
