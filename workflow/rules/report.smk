"""The dataset's page: what there is, whether it is right, and what it looks like."""

from imagenet_prep.report import files

REPORT = OUT / "report"
PAGE_SPLITS = [split for split in BOX_SPLITS if split in SPLITS]

# Those whose times say something of the run; the others take a moment, or wait for the network.
STAGES = [
    "scan_archive",
    "verify_archive",
    "label_images",
    "tabulate_images",
    "parse_boxes",
    "tabulate_boxes",
    "tabulate_multilabel",
    "write_folders",
    "plan_shards",
    "write_shards",
    "index_shards",
    "write_multilabel_records",
    "audit_products",
]


rule write_page:
    """Draw figures from the tables and thumbnails from the archives, and lay them out as a page."""
    input:
        archives=archives_of("report"),
        labels=rules.write_labels.output.receipt,
        images=rules.tabulate_images.output.receipt,
        audit=rules.audit_products.output.receipt,
        boxes=needed("report", "boxes"),
    output:
        page=[REPORT / name for name in files.FILES],
        sheets=[REPORT / name for name in files.sheet_names(CLASS_COUNT, SPLITS)],
        receipt=own_receipt("report"),
    log:
        LOGS / "write_page.log",
    benchmark:
        BENCHMARKS / "write_page.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 4
    resources:
        mem_mb=by_attempt(1500),
        runtime=by_attempt(60),
    params:
        settings=settings_of("report"),
        archives=archive_names_of("report"),
        files={split: config["archives"][archive]["file"] for split, archive in ARCHIVE_OF_SPLIT.items()},
        verified=[VERIFIED / f"{archive}.json" for archive in config["use"]],
        splits=SPLITS,
        box_splits=PAGE_SPLITS,
        stages=STAGES,
        readers=f"{CHECKOUT}/docs/readers.md",
        readme=f"{CHECKOUT}/README.md",
    message:
        "Write the page of the dataset"
    script:
        "../scripts/write_page.py"


rule report:
    """The dataset's page, of audited products."""
    input:
        target("report", ("report", ALL)),
