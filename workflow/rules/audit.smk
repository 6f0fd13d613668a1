"""The audit, which the run must pass, and the check of what lies there, which makes nothing."""


def products_in_use():
    """The configured products that the audit looks at."""
    return [product for product in config["products"] if product != "audit"]


def files_of_products():
    """What the configured products are known by."""
    files = {
        "imagefolder": trees(*SPLITS),
        "tfrecords": [*records("tfrecord", *RECORD_SPLITS), *rules.describe_records.output],
        "indexes": records("tfrecord_index", *RECORD_SPLITS),
        "bboxes": rules.tabulate_boxes.output,
        "multilabel": rules.tabulate_multilabel.output,
        "labels": LABEL_FILES,
    }
    return [path for product in products_in_use() for path in files[product]]


rule audit_products:
    """Read everything that was made, and hold it against the archives and against each other."""
    input:
        verified(*config["use"]),
        LABEL_FILES,
        rules.tabulate_images.output,
        files_of_products(),
    output:
        report=OUT / "audit.json",
        sums=OUT / "SHA256SUMS",
    log:
        LOGS / "audit_products.log",
    benchmark:
        BENCHMARKS / "audit_products.tsv"
    threads: workflow.cores or 1
    resources:
        mem_mb=2000,
    message:
        "Audit everything"
    params:
        products=products_in_use(),
        splits=SPLITS,
        version=versions.AUDIT,
    conda:
        "../../envs/imagenet-prep.yaml"
    script:
        "../scripts/audit_products.py"


rule audit:
    """All products, each held against the archives."""
    input:
        files_of_products(),
        rules.audit_products.output,


rule check:
    """Say what is missing, changed or too much, and the command that mends it; always, and making nothing."""
    log:
        LOGS / "check.log",
    threads: workflow.cores or 1
    resources:
        mem_mb=2000,
    message:
        "Check everything that lies there"
    params:
        products=products_in_use(),
        splits=SPLITS,
    conda:
        "../../envs/imagenet-prep.yaml"
    script:
        "../scripts/check.py"


def everything():
    """What the default target asks for."""
    audited = rules.audit_products.output if "audit" in config["products"] else []
    return [*files_of_products(), *LABEL_FILES, *rules.tabulate_images.output, *audited]
