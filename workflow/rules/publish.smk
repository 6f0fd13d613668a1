"""Records, indexes, tables and labels in an object store, or in a folder for others."""


# Where jobs run on other machines, this one runs here: those often reach nothing outside.
localrules:
    publish_products,


rule publish_products:
    """Send what is not there yet, see that all has arrived as it is, and list it there at the end."""
    input:
        rules.audit_products.output,
    output:
        STATE / "published.json",
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
        url=config["publish"]["url"],
        version=versions.PUBLISH,
    message:
        "Publish to {params.url}"
    script:
        "../scripts/publish_products.py"


rule publish:
    """The audited products, at `publish.url`."""
    input:
        published,
