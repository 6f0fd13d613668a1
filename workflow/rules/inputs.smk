"""What is made from what: the input functions of the rules, by the receipts that tell what was made."""

import functools

from imagenet_prep.engine import batches
from imagenet_prep.engine.receipts import UNUSED


def receipt_pattern(step, subject):
    """An output: the receipts of a step, named by the settings and a number.

    The job finds both in the name that it is asked for. Whoever needs what it makes asks `PROVENANCE` for that name.
    """
    return STATE / step / f"{subject}.{{digest}}.{{number}}.json"


OWN_RECEIPTS = {}


def own_receipt(step):
    """An output beside files that keep their names: the receipt of a step that has one job, as it is asked for now.

    Outputs without wildcards are read once. Where an archive turns out to hold something else, its scan removes this file.
    """
    OWN_RECEIPTS[step] = PROVENANCE.receipt(step)
    return OWN_RECEIPTS[step]


def expect_in_use(*archives):
    """Refuse a target if the configuration leaves out all the archives that it is made from."""
    if not set(archives) & set(config["use"]):
        names = " or ".join(archives)
        run.stop(
            f"configuration key use: {names} is not in the list, but this target is made from it. Add {names} to use."
        )


def expect_fitting(product):
    """Refuse a target that the configuration has no room for."""
    if refused := product.refuses(config):
        key, problem, remedy = refused
        run.stop(f"configuration key {key}: {problem}. {remedy}.")


# A list for each time that something is taken over: the older version may have been back since.
TAKEN_OVER_LIST = STATE / f"taken_over.{len(list(STATE.glob('taken_over.*')))}.json"
# Decided once: what is taken over is so for the rest of this run.
TAKEN_OVER = [ancient(TAKEN_OVER_LIST)] if runs.is_older(OUT) else []


def subject_of(wildcards):
    """What a job is about: a split, a product's split, an archive, or all."""
    if wildcards.get("product"):
        return part_of(wildcards.product, wildcards.split)
    return next((wildcards.get(it) for it in ("split", "archive", "part") if wildcards.get(it)), ALL)


def receipts(step, subject=ALL, by_name=False):
    """The receipts of what a step has made: its one, or those of its batches.

    `by_name` if somebody asks for just this: what cannot be made is asked for as well, so that its job says why.
    """
    if step in registry.SPLIT_PRODUCTS:
        return PROVENANCE.batches(step, subject, by_name=by_name)
    # Receipts of tables between the steps have other names when other tables are there, and their rules are checkpoints:
    # what depends on them is looked at again once they are there.
    path = OWN_RECEIPTS.get(step) or PROVENANCE.receipt(step, subject)
    return [ancient(path) if registry.STEPS[step].is_between else path]


NOTHING_ELSE = {}


def alone(step, subject, by_name=False):
    """The same receipts, and the one which says that nothing is left there of an older configuration.

    That is the one of all products, where it exists and holds for this; else one of this product's split alone. Which
    one is decided once for a run: a job that makes this anew removes both.
    """
    found = receipts(step, subject, by_name)
    if step not in registry.SPLIT_PRODUCTS:
        return found
    of_all = PROVENANCE.receipt(LEFTOVERS)
    key = (of_all, *found)
    if key not in NOTHING_ELSE:
        is_told = (step, subject) in PROVENANCE.needs(LEFTOVERS) and all(path.exists() for path in key)
        NOTHING_ELSE[key] = [] if is_told else [PROVENANCE.receipt(LEFTOVERS, part_of(step, subject))]
    return [*found, *NOTHING_ELSE[key]]


def archives_of(step):
    """An input function: the receipts of all archives that a step is made from, however indirectly.

    The rules that make them are checkpoints: when an archive was touched, or replaced, Snakemake looks again at the jobs
    that name its receipt once that is there, and what the archive holds then decides.
    """

    def archives(wildcards):
        subject = subject_of(wildcards)
        for name in PROVENANCE.archives(step, subject):
            expect_in_use(name)
        return [*TAKEN_OVER, *(ancient(path) for path in PROVENANCE.archive_receipts(step, subject))]

    return archives


def settings_of(step):
    """A parameter: what a job of a step is told, all that is in the digest of its receipt."""

    def settings(wildcards):
        return PROVENANCE.settings(step, subject_of(wildcards))

    return settings


def archive_names_of(step):
    """A parameter: the names of all archives that a step is made from, for its receipt."""

    def names(wildcards):
        return PROVENANCE.archives(step, subject_of(wildcards))

    return names


def inputs_of(step, *names):
    """An input function for the receipts of what a step is made from; of all, or of the steps of these names."""

    def inputs(wildcards):
        needs = registry.STEPS[step].inputs(config, subject_of(wildcards))
        return [path for need in needs if not names or need[0] in names for path in receipts(*need)]

    return inputs


def needs_of_batch(name):
    """An input function for the receipts of what a batch of a product's units is made from."""
    product = registry.SPLIT_PRODUCTS[name]

    def needs(wildcards):
        wanted = batches.units_of(wildcards.batch)
        found = []
        for need in product.inputs(config, wildcards.split):
            if product.unit_by_unit and need[0] in registry.SPLIT_PRODUCTS:
                found += PROVENANCE.overlapping(*need, wanted)
            else:
                found += receipts(*need)
        return found

    return needs


def devkit(wildcards):
    """The receipt of the devkit's tables."""
    return receipts("devkit")[0]


def scan_of_split(wildcards):
    """The receipt of the scan of the archive that holds a split's images."""
    return ancient(PROVENANCE.archive_receipt(DATASET.splits[wildcards.split].archive))


def archive_settings(wildcards):
    """What the configuration expects of an archive."""
    return expected(config, wildcards.archive)


def link_of_archive(wildcards):
    """The receipt of an archive's being there; that its link has to be made again is no reason to read it again."""
    has_to_be_read = not PROVENANCE.archive_receipt(wildcards.archive).exists()
    fetched = PROVENANCE.fetched(wildcards.archive) if has_to_be_read else PROVENANCE.last_fetched(wildcards.archive)
    return [*TAKEN_OVER, *([ancient(fetched)] if fetched else [])]


def made_up_archives(wildcards):
    """The receipt of the archives that the workflow makes up, where the configuration asks for that."""
    return [*TAKEN_OVER, *([ancient(PROVENANCE.made_up())] if PROVENANCE.makes_up(wildcards.archive) else [])]


def made_up_archives_to_link(wildcards):
    """The same of any that are to be linked."""
    made_up = [ancient(PROVENANCE.made_up())] if any(map(PROVENANCE.makes_up, TO_LINK)) else []
    return [*TAKEN_OVER, *made_up]


def made_up_archives_first(wildcards):
    """The receipt of the archives that the workflow makes up, where there is none yet."""
    made_up = PROVENANCE.made_up()
    return [ancient(made_up)] if made_up and any(map(PROVENANCE.makes_up, config["use"])) else []


def batches_of(wildcards):
    """The receipts of all batches of a product's split, or of all that are configured."""
    return [path for need in PROVENANCE.needs(LEFTOVERS, wildcards.part) for path in PROVENANCE.batches(*need)]


def synthetic_archives():
    """The archives in use, by name."""
    return {name: Path(config["archives_dir"]) / config["archives"][name]["file"] for name in config["use"]}


def links(archives):
    """The receipts of the archives' being there."""
    return [PROVENANCE.fetched(name) for name in archives]


def scans(archives):
    """The receipts of the archives' being the right ones."""
    return [ancient(PROVENANCE.archive_receipt(name)) for name in archives]


def archives_looked_at(wildcards):
    """The receipts of all archives in use, of which some may note that they are missing or wrong."""
    return [PROVENANCE.archive_receipt(name) for name in config["use"]]


@functools.cache
def are_looked_at():
    """Whether this run looks at archives: decided once, since their receipts are there when it has."""
    return not all(path.exists() for path in [*links(config["use"]), *archives_looked_at(None)])


def report_of_archives(wildcards):
    """What tells of all archives that were looked at; nothing where none is."""
    return [STATE / "archives_reported"] if are_looked_at() else []


def expect_source(product, needs):
    """Refuse a target of a product that cannot be made of what lies there in the place of an archive."""
    it = registry.SPLIT_PRODUCTS[product]
    for split in [split for step, split in needs if step == product]:
        if why := it.obstacle(config, split):
            archive = config["archives"][DATASET.splits[split].archive]["file"]
            others = [f"{product}_{other}" for other in it.splits_in_use(config) if not it.obstacle(config, other)]
            remedy = f"Ask for {' and '.join(others)}" if others and len(needs) > 1 else "Ask for other products"
            run.stop(f"{archive}: {product} of {split} cannot be made of it: {why}. {remedy}.")


def target(product, *needs, archives=(), own=(), made=alone):
    """An input function for what a target asks for: the archives that are there, and what is made of them.

    A target names the archives itself: so one that was touched or changed is read again, whatever lies there.
    """
    by_name = {"by_name": True} if product in registry.SPLIT_PRODUCTS else {}
    is_begun = []

    def asked_for(wildcards):
        made_from = {*archives, *(name for need in needs for name in PROVENANCE.archives(*need))}
        for name in sorted(made_from - {DATASET.devkit}):
            expect_in_use(name)
        if product in registry.PRODUCTS:
            for group in registry.PRODUCTS[product].requires(DATASET):
                expect_in_use(*group)
            expect_fitting(registry.PRODUCTS[product])
        # What an archive that is new holds is known when it has been scanned: the job itself then refuses.
        if by_name and not is_begun:
            expect_source(product, needs)
            is_begun.append(True)
        there = sorted(filter(PROVENANCE.is_wanted, made_from))
        paths = [path for need in needs for path in made(*need, **by_name)]
        return [*TAKEN_OVER, *links(there), *scans(there), *paths, *own]

    return asked_for


def everything():
    """What the default target asks for."""
    made = [product for name, product in registry.PRODUCTS.items() if name in config["products"]]
    needs = [need for product in made for need in product.known_by(config)]
    copies = [("published", ALL)] if config["publish"]["url"] else []
    return [*PROVENANCE.needs(registry.AUDIT.name), *needs, (LEFTOVERS, ALL), *copies]


def published(wildcards):
    """What `publish` asks for, where the configuration says where to."""
    if not config["publish"]["url"]:
        run.stop("configuration key publish.url: it is null. Write where to publish, such as gs://bucket/folder.")
    return target("publish", ("published", ALL))(wildcards)
