"""The table of bounding boxes: `tables/bboxes.parquet`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.engine.step import Config, Need
from imagenet_prep.engine.table_steps import boxes_in_use
from imagenet_prep.products.table import TableProduct

if TYPE_CHECKING:
    from imagenet_prep.products.audit.facts import Facts
    from imagenet_prep.products.audit.findings import Check

_GROUPS_AT_A_TIME = 4


class BBoxes(TableProduct):
    """Every bounding box of the archives, with what is wrong with it."""

    name = "bboxes"
    rule = "tabulate_boxes"
    version = 1

    def settings(self, config: Config, subject: str) -> dict[str, Any]:
        """Which classes."""
        return {"wnids": config["classes"]}

    def needs(self, config: Config, subject: str) -> list[Need]:
        """The boxes of all splits that have some."""
        return boxes_in_use(config)

    def requires(self, dataset: Dataset) -> list[list[str]]:
        """An archive of boxes."""
        return [[split.boxes for split in dataset.splits.values() if split.boxes]]

    def examinations(self, facts: Facts) -> dict[str, Callable[[str], Check]]:
        """Whether every usable box is inside its image."""
        return {self.name: partial(check_boxes, facts)}


def check_boxes(facts: Facts, mend: str) -> Check:
    """Every usable box lies inside 0 … 1; counts those whose image no archive in use holds."""
    import pyarrow.compute as pc

    from imagenet_prep.formats import parquet
    from imagenet_prep.products.audit.findings import Check, Findings

    path, images = facts.box_table, facts.images()
    file = parquet.open_table(path)
    check = Check(BBoxes.name, {"boxes": file.metadata.num_rows, "usable": 0, "boxes_without_image": 0})
    findings = Findings()
    for first in range(0, file.num_row_groups, _GROUPS_AT_A_TIME):
        groups = range(first, min(first + _GROUPS_AT_A_TIME, file.num_row_groups))
        table = parquet.read_groups(file, path, groups)  # every column, so that every page's checksum is compared
        usable = table.filter(table["usable"])
        check.figures["usable"] += len(usable)
        for low, high in (("xmin", "xmax"), ("ymin", "ymax")):
            inside = pc.and_(
                pc.and_(pc.greater_equal(usable[low], 0), pc.less(usable[low], usable[high])),
                pc.less_equal(usable[high], 1),
            )
            outside = usable["source"].filter(pc.invert(inside)).to_pylist()
            findings.add("a usable box is not inside the image", outside, mend)
        known, _, _ = images.find(usable["filename"].combine_chunks(), [])
        check.figures["boxes_without_image"] += len(usable) - len(known)
    check.add_findings(findings)
    return check
