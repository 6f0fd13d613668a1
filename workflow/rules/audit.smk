"""The audit, which the run must pass, and the check of what lies there, which makes nothing."""

from imagenet_prep.checksums import SUMS


rule audit_products:
    """Read everything that was made, and hold it against the archives and against each other."""
    input:
        archives=archives_of("audit"),
        products=inputs_of("audit"),
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
    threads: cores_by_bytes
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
