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
        LABEL_FILES,
        rules.tabulate_images.output,
        rules.audit_products.output,
        [STATE / "boxes" / f"{split}.json" for split in PAGE_SPLITS],
        receipts=verified(*config["use"]),
        boxes=ancient([STATE / "boxes" / f"{split}.parquet" for split in PAGE_SPLITS]),
    output:
        [REPORT / name for name in files.FILES],
        sheets=[REPORT / name for name in files.sheet_names(CLASS_COUNT, SPLITS)],
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
        products=config["products"],
        settings={key: config[key] for key in ("use", "imagefolder", "tfrecord", "synthetic")},
        classes=CLASS_PARAMS,
        archives={split: config["archives"][archive]["file"] for split, archive in ARCHIVE_OF_SPLIT.items()},
        splits=SPLITS,
        box_splits=PAGE_SPLITS,
        stages=STAGES,
        readers=readers_of_page,
        readme=readme_of_page,
        version=versions.PAGE,
    message:
        "Write the page of the dataset"
    script:
        "../scripts/write_page.py"


rule report:
    """The dataset's page, of audited products."""
    input:
        files_of_products(),
        rules.write_page.output,
