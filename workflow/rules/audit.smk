"""What is left over goes, the audit, which the run must pass, and the check of what lies there, which makes nothing."""


# Seconds each: not worth a place in a cluster's queue.
localrules:
    remove_leftovers,
    remove_unused,


rule remove_leftovers:
    """Take away what an older configuration left of a product's split."""
    input:
        archives=archives_of_leftovers,
        batches=batches_of,
    output:
        receipt=receipt_pattern(LEFTOVERS, "{product}-{split}"),
    log:
        LOGS / "remove_leftovers" / "{product}-{split}.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "remove_leftovers" / "{product}-{split}.{digest}.{number}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    params:
        settings=leftover_settings,
        archives=leftover_archives,
    message:
        "Look for what was left of {wildcards.product} {wildcards.split}"
    script:
        "../scripts/remove_leftovers.py"


rule remove_unused:
    """Take away what was made of archives that are not in use any more."""
    input:
        TAKEN_OVER,
    output:
        receipt=own_receipt("unused"),
    log:
        LOGS / "remove_unused.log",
    benchmark:
        BENCHMARKS / "remove_unused.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    params:
        settings=settings_of("unused"),
        archives=archive_names_of("unused"),
    message:
        "Look for what archives left that are not in use any more"
    script:
        "../scripts/remove_unused.py"


rule audit_products:
    """Read everything that was made, and hold it against the archives and against each other."""
    input:
        archives=archives_of("audit"),
        products=products_to_audit,
    output:
        report=OUT / "audit.json",
        sums=OUT / SUMS,
        receipt=own_receipt("audit"),
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
        settings=settings_of("audit"),
        archives=archive_names_of("audit"),
    message:
        "Audit everything"
    script:
        "../scripts/audit_products.py"


rule audit:
    """All products, each held against the archives."""
    input:
        target("audit", ("audit", ALL)),


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
        settings=settings_of("audit"),
    message:
        "Check everything that lies there"
    script:
        "../scripts/check.py"
