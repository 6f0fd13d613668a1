from snakemake.utils import min_version

min_version("9.17")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/run.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/score_inputs.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/space.smk"
include: "workflow/rules/takeover.smk"
include: "workflow/rules/archives.smk"
include: "workflow/rules/labels.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/products.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/publish.smk"
include: "workflow/rules/scores.smk"


if config["synthetic"]:

    include: "workflow/rules/demo.smk"


include: "workflow/rules/files.smk"


rule all:
    """Everything that `products` in the configuration names."""
    default_target: True
    input:
        target("all", *everything(), archives=config["use"], made=receipts),
    message:
        "Everything is there"


onstart:
    begin_run()


onsuccess:
    end_run(True, log[0])


onerror:
    end_run(False, log[0])
