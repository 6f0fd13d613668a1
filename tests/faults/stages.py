"""The stages of the workflow: for each rule one of its jobs, with all that the job makes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One job of a rule.

    Attributes:
        target: the output to ask for.
        made: patterns of all that the job makes.
        archive: whether it reads an archive.
    """

    target: str
    made: tuple[str, ...]
    archive: bool = False


def batch(product: str, receipt: str, files: str, *, folder: str | None = None, archive: bool = True) -> Stage:
    """A job that makes many files of a product, and a receipt for them; with it goes all that is named alike.

    Args:
        product: the folder of the product.
        receipt: the name of the job's own receipt.
        files: the pattern of receipts, notes and files.
        folder: in which the files lie, if they do not lie in the product's own.
        archive: whether the job reads an archive.
    """
    made = (
        f"state/{product}/{files}",
        f"state/made/{product}/{f'{folder}/*' if folder else files}",
        f"{product}/{folder or files}",
    )
    return Stage(f"state/{product}/{receipt}.json", made, archive)


STAGES = {
    "verify_archive": Stage("verified/devkit.json", ("verified/devkit.json", "state/archives/devkit.*"), True),
    "scan_archive": Stage("verified/train.json", ("verified/train.json", "state/archives/train.*"), True),
    "parse_devkit": Stage("state/devkit/synsets.parquet", ("state/devkit/*",), True),
    "write_labels": Stage("labels/classes.csv", ("labels/*",)),
    "label_images": Stage("state/images/train.json", ("state/images/train.*",)),
    "tabulate_images": Stage("tables/images.parquet", ("tables/images.parquet",)),
    "parse_boxes": Stage("state/boxes/train.json", ("state/boxes/train.*",), True),
    "tabulate_boxes": Stage("tables/bboxes.parquet", ("tables/bboxes.parquet",)),
    "tabulate_multilabel": Stage("tables/multilabel.parquet", ("tables/multilabel.parquet",), True),
    "write_folders": batch("imagefolder", "train_t3-00000-00000-of-00001", "train_t3-*", folder="train_t3"),
    "complete_tree": Stage("state/imagefolder/train.json", ("state/imagefolder/train.json",)),
    "plan_shards": Stage("state/plan/train.json", ("state/plan/train.*",)),
    "write_shards": batch("tfrecord", "validation-00000-00001-of-00002", "validation-*"),
    "complete_shards": Stage("state/tfrecord/train.json", ("state/tfrecord/train.json",)),
    "describe_records": Stage("tfrecord/features.json", ("tfrecord/*.json", "tfrecord/*.txt")),
    "index_shards": batch("tfrecord_index", "train-00000-00003-of-00004", "train-*", archive=False),
    "complete_indexes": Stage("state/tfrecord_index/train.json", ("state/tfrecord_index/train.json",)),
    "write_multilabel_records": batch("tfrecord_multilabel", "receipt", "*"),
    "remove_splits": Stage("state/splits.json", ("state/splits.json",)),
    "audit_products": Stage("audit.json", ("audit.json", "SHA256SUMS")),
    "write_page": Stage("report/index.html", ("report/*",)),
    "score_predictions": Stage("scores/demo.json", ("scores/*",)),
}
