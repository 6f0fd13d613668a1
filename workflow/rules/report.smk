"""The dataset's page: what there is, whether it is right, and what it looks like."""

from imagenet_prep.products.report import sheet_names
from imagenet_prep.report import files

REPORT = (OUT / registry.PAGE.path).parent
BOX_SPLITS = [split for step, split in registry.PAGE.needs(config, ALL) if step == registry.BOXES.name]

# The rules whose times say something of the run, with the folders of their receipts.
TIMED = {
    "scan_archive": ARCHIVES,
    "verify_archive": ARCHIVES,
    **{step.rule: step.name for step in registry.STEPS.values() if step.is_timed},
}


rule draw_samples:
    """Make thumbnails of samples of each class, and of odd images, straight from the archives."""
    input:
        archives=archives_of("samples"),
        labels=rules.write_labels.output.receipt,
        images=rules.tabulate_images.output.receipt,
        boxes=inputs_of("samples", "boxes"),
    output:
        sheets=[OUT / path for path in registry.SAMPLES.files(config)],
        receipt=own_receipt("samples"),
    log:
        LOGS / "draw_samples.log",
    benchmark:
        BENCHMARKS / "draw_samples.tsv"
    priority: FIRST
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: cores_by_bytes
    resources:
        mem_mb=by_attempt(1500),
        runtime=by_attempt(60),
    params:
        settings=settings_of("samples"),
        archives=archive_names_of("samples"),
        box_splits=BOX_SPLITS,
    message:
        "Draw samples of the classes"
    script:
        "../scripts/draw_samples.py"


rule write_page:
    """Draw figures from the tables, and lay them out as a page with the samples."""
    input:
        archives=archives_of("report"),
        labels=rules.write_labels.output.receipt,
        images=rules.tabulate_images.output.receipt,
        samples=rules.draw_samples.output.receipt,
        audit=rules.audit_products.output.receipt,
        boxes=inputs_of("report", "boxes"),
        scores=scores_asked_for,
    output:
        page=[REPORT / name for name in files.FILES],
        receipt=own_receipt("report"),
    log:
        LOGS / "write_page.log",
    benchmark:
        BENCHMARKS / "write_page.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1500),
        runtime=by_attempt(60),
    params:
        settings=settings_of("report"),
        archives=archive_names_of("report"),
        verified=[VERIFIED / f"{archive}.json" for archive in config["use"]],
        sheets=sheet_names(config),
        box_splits=BOX_SPLITS,
        stages=TIMED,
        readers=f"{CHECKOUT}/docs/readers.md",
        readme=f"{CHECKOUT}/README.md",
    message:
        "Write the page of the dataset"
    script:
        "../scripts/write_page.py"
