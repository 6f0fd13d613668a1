"""The stages of the workflow: for each rule one of its jobs, with all that the job makes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One job of a rule.

    Attributes:
        target: what to ask for, so that it is run.
        receipt: the pattern of its receipt, of which there is one.
        made: patterns of all else that the job makes.
        archive: whether it reads an archive.
        voids: patterns of the receipts of other jobs that it takes away, since they hold no more.
        script: of the rule, where that has another name.
    """

    target: str
    receipt: str
    made: tuple[str, ...] = ()
    archive: bool = False
    voids: tuple[str, ...] = ()
    script: str = ""


def batch(
    target: str, product: str, split: str, *, folder: str | None = None, archive: bool = True, names: str | None = None
) -> Stage:
    """A job that makes all files of a split, and a receipt for them.

    Args:
        target: what to ask for.
        product: the folder of the product.
        split: of which it has one batch.
        folder: in which the files lie, if they do not lie in the product's own.
        archive: whether the job reads an archive.
        names: a pattern of the files, where their names do not begin with the split.
    """
    files = f"{folder}/*" if folder else f"{split}-*"
    made = f"state/made/{product}/{files}", f"{product}/{names or folder or files}"
    return Stage(target, f"state/{product}/{split}-*.json", made, archive, voids(product, split), "write_product")


def voids(product: str, split: str) -> tuple[str, ...]:
    """What a job takes away that writes files of a split: that nothing is left of an older configuration."""
    return f"state/leftovers/{product}-{split}.*", "state/leftovers/all.*"


def description(product: str) -> Stage:
    """The job that describes all files of a product."""
    made = f"{product}/*.json", f"{product}/*.txt", f"{product}/*.md"
    return Stage(product, f"state/{product}_description/*.json", made, script="describe_product")


STAGES = {
    "verify_archive": Stage(
        "results/verified/devkit.json", "state/archives/devkit.*.json", ("verified/devkit.json",), archive=True
    ),
    "scan_archive": Stage(
        "results/verified/train.json",
        "state/archives/train.*.json",
        ("verified/train.json", "state/archives/train.*"),
        archive=True,
    ),
    "parse_devkit": Stage("labels", "state/devkit/*.json", ("state/devkit/*",), archive=True),
    "write_labels": Stage("labels", "state/labels/*.json", ("labels/*",)),
    "label_images": Stage("imagefolder", "state/images/train.*.json", ("state/images/train.*",)),
    "tabulate_images": Stage("results/tables/images.parquet", "state/image_table/*.json", ("tables/images.parquet",)),
    "parse_boxes": Stage("bboxes", "state/boxes/train.*.json", ("state/boxes/train.*",), archive=True),
    "tabulate_boxes": Stage("bboxes", "state/bboxes/*.json", ("tables/bboxes.parquet",)),
    "tabulate_multilabel": Stage("multilabel", "state/multilabel/*.json", ("tables/multilabel.parquet",), archive=True),
    "write_imagefolder": batch("imagefolder", "imagefolder", "train_t3", folder="train_t3"),
    "plan_shards": Stage("tfrecord", "state/plan/tfrecord-train.*.json", ("state/plan/tfrecord-train.*",)),
    "write_tfrecord": batch("tfrecord_validation", "tfrecord", "validation"),
    "describe_tfrecord": description("tfrecord"),
    "write_tfrecord_index": batch("tfrecord_index", "tfrecord_index", "train", archive=False),
    "write_archive_index": Stage(
        "archive_index_validation",
        "state/archive_index/validation-*.json",
        ("archive_index/*/*_val.*", "state/made/archive_index/validation/*/*"),
        archive=True,
        voids=voids("archive_index", "validation"),
        script="write_product",
    ),
    "write_tfrecord_multilabel": batch("tfrecord_multilabel", "tfrecord_multilabel", "validation"),
    "describe_tfrecord_multilabel": description("tfrecord_multilabel"),
    "write_webdataset": batch("webdataset_validation", "webdataset", "validation", names="*-validation-*"),
    "describe_webdataset": description("webdataset"),
    "write_parquet": batch("parquet_validation", "parquet", "validation", names="data/validation-*"),
    "describe_parquet": description("parquet"),
    "write_arrayrecord": batch("arrayrecord_validation", "arrayrecord", "validation", names="*-validation*"),
    "describe_arrayrecord": description("arrayrecord"),
    "write_dinov2": batch("dinov2_test", "dinov2", "test", archive=False, names="*[tT][eE][sS][tT]*"),
    "describe_dinov2": description("dinov2"),
    "remove_leftovers": Stage("audit", "state/leftovers/all.*.json"),
    "remove_unused": Stage("imagefolder", "state/unused/*.json"),
    "audit_products": Stage("audit", "state/audit/*.json", ("audit.json", "SHA256SUMS")),
    "draw_samples": Stage("report", "state/samples/*.json", ("report/*.webp",)),
    "write_page": Stage("report", "state/report/*.json", ("report/*.html", "report/*.js")),
    "score_predictions": Stage("results/scores/demo.json", "state/scores/*.json", ("scores/*",)),
}
