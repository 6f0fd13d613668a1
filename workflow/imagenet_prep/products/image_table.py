"""The table of images: `tables/images.parquet`. It is made with every product, and no target of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Labels
from imagenet_prep.engine.space import ImageTotals
from imagenet_prep.engine.step import Config, Need
from imagenet_prep.engine.table_steps import IMAGES
from imagenet_prep.products.table import FOLDER, TableProduct

if TYPE_CHECKING:
    import pyarrow as pa

    from imagenet_prep.products.audit.facts import Facts
    from imagenet_prep.products.audit.findings import Check


class ImageTable(TableProduct):
    """Every image as a byte range of its archive, with its class."""

    name = "image_table"
    rule = "tabulate_images"
    version = 1
    layout = 2
    is_target = False

    @property
    def path(self) -> str:
        """The file."""
        return f"{FOLDER}/images.parquet"

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """The names of the archives' files, which stand in it."""
        splits = dataset_of(config).splits_in_use(config)
        return {"files": {split.name: str(config["archives"][split.archive]["file"]) for split in splits}}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The images of all splits in use."""
        return [(IMAGES.name, split.name) for split in dataset_of(config).splits_in_use(config)]

    def content(self, config: Config, images: Mapping[str, ImageTotals]) -> tuple[str, int]:
        """How many images."""
        content, nbytes = super().content(config, images)
        return f"{content}: every image, as a byte range of its archive", nbytes

    def examinations(self, facts: Facts) -> dict[str, Callable[[str], Check]]:
        """The images of each split."""
        return {f"images {split}": partial(check_images, facts, split) for split in facts.splits}


def check_images(facts: Facts, split: str, mend: str) -> Check:
    """The split's images: none twice, and per class as many as the devkit says."""
    from collections import Counter

    import pyarrow.compute as pc

    from imagenet_prep.products.audit.findings import Check

    table, of, path = facts.images(split), facts.dataset.splits[split], ImageTable().path
    check = Check(f"images {split}", {"images": len(table), "bytes": 0})
    found: Counter[str] = Counter()
    last, rising = "", True
    for images in table.parts():  # every column, so that every page's checksum is held against it
        check.figures["bytes"] += pc.sum(images["length"]).as_py()
        names = images["filename"].combine_chunks()
        rising &= last < names[0].as_py() and pc.all(pc.less(names[:-1], names[1:]), min_count=0).as_py()
        last = names[-1].as_py()
        found.update({row["values"]: row["counts"] for row in pc.value_counts(images["wnid"]).to_pylist()})
    if not rising:
        check.add(f"{path}: an image is there more than once, or they are out of order", mend)
    if of.labels is Labels.LAYOUT and of.classes == facts.dataset.classes:
        for row in facts.classes.to_pylist():
            count, wanted = found[row["wnid"]], row["num_train_images"]
            if wanted is not None and count != wanted:
                check.add(
                    f"class {row['wnid']}: the archive has {count} images, the devkit says {wanted}",
                    f"Get the {of.archive} archive and the devkit again, both from the same place",
                    kind="number of images",
                )
        check.figures["classes"] = len(table.classes)
    if of.labels is Labels.GROUND_TRUTH:
        labels, images = facts.validation_labels, table.read(["filename", "wnid", "class_index"])
        _compare_names(check, images["filename"], labels["filename"], f"{path}: ", mend)
        given = {row["filename"]: row for row in labels.select(images.column_names).to_pylist()}
        wrong = [row["filename"] for row in images.to_pylist() if given.get(row["filename"], row) != row]
        check.add_each(f"its label in labels/val_labels.csv is not that of {path}", wrong, mend)
        check.figures["classes"] = pc.count_distinct(labels["wnid"]).as_py()
    return check


def _compare_names(check: Check, found: pa.ChunkedArray, wanted: pa.ChunkedArray, prefix: str, mend: str) -> None:
    """Note which names are missing, there more than once, or unknown."""
    import pyarrow.compute as pc

    counts = pc.value_counts(found.combine_chunks())
    twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    missing = wanted.filter(pc.invert(pc.is_in(wanted, value_set=found.combine_chunks())))
    unknown = found.filter(pc.invert(pc.is_in(found, value_set=wanted.combine_chunks())))
    for names, what in (
        (missing, "it is missing"),
        (twice, "it is there more than once"),
        (unknown, "no archive in use holds it"),
    ):
        check.add_each(what, [prefix + name for name in names.to_pylist()], mend)
