"""All products by name, in the order in which they are listed, and all steps.

A new product is a line here. Imports are light, since the Snakefile asks here at every start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine.step import Config, Step
from imagenet_prep.engine.table_steps import BOXES, DEVKIT, IMAGES
from imagenet_prep.products.archive_index import ArchiveIndex
from imagenet_prep.products.arrayrecord import ArrayRecord
from imagenet_prep.products.audit.audit_report import AuditReport
from imagenet_prep.products.bboxes import BBoxes
from imagenet_prep.products.dinov2 import DINOv2
from imagenet_prep.products.image_table import ImageTable
from imagenet_prep.products.imagefolder import ImageFolder
from imagenet_prep.products.labels import Labels
from imagenet_prep.products.multilabel import Multilabel
from imagenet_prep.products.parquet import Parquet
from imagenet_prep.products.product import Product, SplitProduct
from imagenet_prep.products.report import Report, Samples
from imagenet_prep.products.shards import SECTION, ShardedProduct
from imagenet_prep.products.steps import Description, Leftovers, Plan, Predictions, Published, Scores, Unused
from imagenet_prep.products.tfrecord import TFRecord
from imagenet_prep.products.tfrecord_index import TFRecordIndex
from imagenet_prep.products.tfrecord_multilabel import TFRecordMultilabel
from imagenet_prep.products.webdataset import WebDataset

IMAGE_TABLE, BBOXES, LABELS = ImageTable(), BBoxes(), Labels()

_MADE: tuple[Product, ...] = (
    ImageFolder(),
    TFRecord(),
    TFRecordIndex(),
    TFRecordMultilabel(),
    WebDataset(),
    Parquet(),
    ArrayRecord(),
    DINOv2(),
    ArchiveIndex(),
    IMAGE_TABLE,
    BBOXES,
    Multilabel(),
    LABELS,
)
AUDIT, PAGE = AuditReport(_MADE), Report(_MADE)
ALL_PRODUCTS: tuple[Product, ...] = (*_MADE, AUDIT, PAGE)

PRODUCTS: dict[str, Product] = {product.name: product for product in ALL_PRODUCTS if product.is_target}
"""Those that people ask for by name."""

SPLIT_PRODUCTS: dict[str, SplitProduct] = {it.name: it for it in ALL_PRODUCTS if isinstance(it, SplitProduct)}
"""Those that are cut by split, and each split into units."""

SHARDED_PRODUCTS: dict[str, ShardedProduct] = {it.name: it for it in ALL_PRODUCTS if isinstance(it, ShardedProduct)}
"""Those in shards."""

PLAN, SAMPLES, SCORES, PUBLISHED = Plan(SHARDED_PRODUCTS.values()), Samples(), Scores(), Published()

DEFAULT_PRODUCTS = (
    "imagefolder",
    "tfrecord",
    "tfrecord_index",
    "archive_index",
    "bboxes",
    "multilabel",
    "audit",
    "report",
)
"""What is made where the configuration does not say."""

FORMER_NAMES = {"tfrecords": "tfrecord", "indexes": "tfrecord_index", "multilabel_tfrecords": "tfrecord_multilabel"}
"""The names that products have had, and those that count now."""

FORMER_KEYS = {f"tfrecord.{key}": f"shards.{key}" for key in SECTION}
"""The names that keys of the configuration have had, and those that count now."""

FORMER_TARGETS = {
    **FORMER_NAMES,
    **{f"tfrecords_{split}": f"tfrecord_{split}" for split in ("train", "validation")},
    "imagefolder_val": "imagefolder_validation",
    "write_folders": "write_imagefolder",
    "write_shards": "write_tfrecord",
    "index_shards": "write_tfrecord_index",
    "write_multilabel_records": "write_tfrecord_multilabel",
    "describe_records": "describe_tfrecord",
}
"""The names that targets and rules have had, and those that count now."""

STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        DEVKIT,
        IMAGES,
        BOXES,
        PLAN,
        *ALL_PRODUCTS,
        SAMPLES,
        *(Description(product) for product in SPLIT_PRODUCTS.values() if product.sidecars),
        Leftovers(SPLIT_PRODUCTS.values()),
        Unused(_MADE),
        Predictions(),
        SCORES,
        PUBLISHED,
    )
}
"""All steps by name."""


def target_of_part(below: str, config: Config) -> str | None:
    """The target that makes what lies at a path below the output folder; None where that is no part of a product."""
    dataset = dataset_of(config)
    for name, product in SPLIT_PRODUCTS.items():
        for split in product.splits(dataset):
            place = product.place(dataset, split)
            if below.startswith(place) and (place != product.path or below.startswith(f"{place}{split}-")):
                return f"{name}_{split}"
        if below.startswith(product.path):
            return name
    return None


def left_out(config: Config, products: Collection[Product]) -> list[str]:
    """A line for each split of these products that cannot be made of what stands in for its archive."""
    return [
        f"Left out: {product.name} of {split}, since {why}"
        for product in products
        if isinstance(product, SplitProduct)
        for split in product.splits_in_use(config)
        if (why := product.obstacle(config, split))
    ]


def packed_problems(keep_packed: bool, products: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Key, problem and remedy of each product that is of no use when packed archives are gone."""
    for product in products:
        if PRODUCTS[product].points_into_archives and not keep_packed:
            problem = f"it is false, and {product} is of use only as long as the archives are there"
            yield "keep_packed", problem, f"Set it to true, or remove {product} from products"
