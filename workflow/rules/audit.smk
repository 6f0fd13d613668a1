"""The audit, which the run must pass, and the check of what lies there, which makes nothing."""


# Seconds each: not worth a place in a cluster's queue.
localrules:
    remove_splits,


rule remove_splits:
    """Take away what was made of archives that are not in use any more."""
    output:
        STATE / "splits.json",
    log:
        LOGS / "remove_splits.log",
    benchmark:
        BENCHMARKS / "remove_splits.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    params:
        splits=SPLITS,
    message:
        "Look for what archives left that are not in use any more"
    script:
        "../scripts/remove_splits.py"


rule audit_products:
    """Read everything that was made, and hold it against the archives and against each other."""
    input:
        verified(*config["use"]),
        LABEL_FILES,
        rules.tabulate_images.output,
        rules.remove_splits.output,
        files_of_products(),
    output:
        report=OUT / "audit.json",
        sums=OUT / SUMS,
    log:
        LOGS / "audit_products.log",
    benchmark:
        BENCHMARKS / "audit_products.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: EVERY_CORE
    resources:
        mem_mb=memory_of_audit,
        runtime=by_attempt(240),
    params:
        products=products_in_use(),
        splits=SPLITS,
        version=versions.AUDIT,
    message:
        "Audit everything"
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
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: EVERY_CORE
    resources:
        mem_mb=memory_of_audit,
        runtime=by_attempt(240),
    params:
        products=products_in_use(),
        splits=SPLITS,
    message:
        "Check everything that lies there"
    script:
        "../scripts/check.py"
