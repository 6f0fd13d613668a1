"""The space that the products need, against what the file systems have; a run looks at it first by itself."""


localrules:
    space,


rule space:
    """Show the space that the configured products still need, and what there is; fail if it is too little."""
    log:
        LOGS / "space.log",
    conda:
        "../../envs/imagenet-prep.yaml"
    threads: 1
    resources:
        mem_mb=by_attempt(500),
        runtime=by_attempt(30),
    message:
        "Look for space"
    script:
        "../scripts/space.py"
