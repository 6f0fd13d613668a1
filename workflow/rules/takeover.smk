"""What an older version made, where output_dir still has its state: taken over before anything else is done."""


localrules:
    take_over,


checkpoint take_over:
    """Take over what an older version made in output_dir, where it is as it would be made now."""
    input:
        made_up_archives_first,
    output:
        list=TAKEN_OVER_LIST,
    log:
        LOGS / "take_over.log",
    benchmark:
        BENCHMARKS / "take_over.tsv"
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(1500),
        runtime=by_attempt(60),
    message:
        "Take over what an older version made"
    script:
        "../scripts/take_over.py"
