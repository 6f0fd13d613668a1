"""Products that are cut by split: each batch of units a job, whatever the product; and a target for every product.

One rule text serves all products: the rules are generated for each, so that its jobs are counted, and can be given
resources, by name.
"""


# Seconds each: not worth a place in a cluster's queue.
localrules:
    remove_leftovers,
    remove_unused,


checkpoint plan_shards:
    """Decide which image goes into which shard, and where."""
    input:
        archives=archives_of("plan"),
        needs=inputs_of("plan"),
    output:
        receipt=receipt_pattern("plan", "{product}-{split}"),
    log:
        LOGS / "plan_shards" / "{product}-{split}.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "plan_shards" / "{product}-{split}.{digest}.{number}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1500),
        runtime=by_attempt(30),
    params:
        settings=settings_of("plan"),
        archives=archive_names_of("plan"),
    message:
        "Plan the shards of {wildcards.product} {wildcards.split}"
    script:
        "../scripts/plan_shards.py"


rule remove_leftovers:
    """Take away what an older configuration left of a product's split, or of all that is configured."""
    input:
        archives=archives_of(LEFTOVERS),
        batches=batches_of,
    output:
        receipt=receipt_pattern(LEFTOVERS, "{part}"),
    log:
        LOGS / "remove_leftovers" / "{part}.{digest}.{number}.log",
    benchmark:
        BENCHMARKS / "remove_leftovers" / "{part}.{digest}.{number}.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    params:
        settings=settings_of(LEFTOVERS),
        archives=archive_names_of(LEFTOVERS),
    message:
        "Look for what was left of {wildcards.part}"
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


for PRODUCT in registry.SPLIT_PRODUCTS.values():

    rule:
        """Write a batch of units of this product."""
        name:
            PRODUCT.rule
        input:
            archives=archives_of(PRODUCT.name),
            needs=needs_of_batch(PRODUCT.name),
        output:
            receipt=receipt_pattern(PRODUCT.name, "{split}-{batch}"),
        log:
            LOGS / PRODUCT.rule / "{split}-{batch}.{digest}.{number}.log",
        benchmark:
            BENCHMARKS / PRODUCT.rule / "{split}-{batch}.{digest}.{number}.tsv"
        conda:
            "../../envs/imagenet-prep.yaml"
        threads: 1
        resources:
            mem_mb=by_attempt(1000),
            runtime=by_attempt(60),
            disk_mb=disk_of_batch(PRODUCT.name),
        params:
            product=PRODUCT.name,
            settings=settings_of(PRODUCT.name),
            archives=archive_names_of(PRODUCT.name),
        message:
            f"Write {PRODUCT.name}: {PRODUCT.unit} {{wildcards.batch}} of {{wildcards.split}}"
        script:
            "../scripts/write_product.py"


for PRODUCT in registry.SPLIT_PRODUCTS.values():
    if PRODUCT.sidecars:

        rule:
            """Write what stands beside this product and says something of all of it."""
            name:
                f"describe_{PRODUCT.name}"
            input:
                archives=archives_of(PRODUCT.description),
                needs=inputs_of(PRODUCT.description),
            output:
                files=[OUT / path for path in PRODUCT.files(config)],
                receipt=own_receipt(PRODUCT.description),
            log:
                LOGS / f"describe_{PRODUCT.name}.log",
            benchmark:
                BENCHMARKS / f"describe_{PRODUCT.name}.tsv"
            localrule: True
            conda:
                "../../envs/imagenet-prep.yaml"
            threads: 1
            resources:
                mem_mb=by_attempt(500),
                runtime=by_attempt(30),
            params:
                product=PRODUCT.name,
                settings=settings_of(PRODUCT.description),
                archives=archive_names_of(PRODUCT.description),
            message:
                f"Describe {PRODUCT.name}"
            script:
                "../scripts/describe_product.py"


for PRODUCT in registry.PRODUCTS.values():

    rule:
        """This product, and all that it needs."""
        name:
            PRODUCT.name
        input:
            target(PRODUCT.name, *PRODUCT.known_by(config), (UNUSED, ALL)),


for PRODUCT in registry.SPLIT_PRODUCTS.values():
    for SPLIT in PRODUCT.splits(DATASET):

        rule:
            """One split of this product, and all that it needs."""
            name:
                f"{PRODUCT.name}_{SPLIT}"
            input:
                target(PRODUCT.name, (PRODUCT.name, SPLIT)),
