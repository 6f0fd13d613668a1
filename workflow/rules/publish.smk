"""Records, indexes, tables and labels in an object store, or in a folder for others."""


# Where jobs run on other machines, this one runs here: those often reach nothing outside.
localrules:
    publish_products,


rule publish_products:
    """Send what is not there yet, see that all has arrived as it is, and list it there at the end."""
    input:
        archives=archives_of("published"),
        audit=rules.audit_products.output.receipt,
    output:
        receipt=own_receipt("published"),
    log:
        LOGS / "publish_products.log",
    benchmark:
        BENCHMARKS / "publish_products.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 4
    resources:
        mem_mb=by_attempt(1000),
        runtime=by_attempt(1440),
    params:
        settings=settings_of("published"),
        archives=archive_names_of("published"),
    message:
        "Publish to {params.settings[url]}"
    script:
        "../scripts/publish_products.py"


rule publish:
    """The audited products, at `publish.url`."""
    input:
        published,
