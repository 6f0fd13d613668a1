"""Which archives and units of products exist already, so that no space is needed for them.

Imports are light, since the Snakefile looks here before a run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.download import partial
from imagenet_prep.engine import archive_paths, archive_search, packed
from imagenet_prep.engine.receipts import STATE, names
from imagenet_prep.engine.runs import read_object
from imagenet_prep.engine.space import ARCHIVE, REST, Existing, Products, configured_parts
from imagenet_prep.engine.table_steps import IMAGES
from imagenet_prep.filesystem import file_system_at


def look(config: Mapping[str, Any], products: Products) -> Existing:
    """Which of the archives in use and of the units of products exist already.

    Args:
        config: complete.
        products: all that are cut by split.
    """
    output, archives_dir = Path(config["output_dir"]), Path(config["archives_dir"])
    used = {name: config["archives"][name] for name in config["use"]}
    found = archive_search.find(archives_dir, used, dataset_of(config), checksums=False)
    archives, folders, downloaded = {}, {}, {}
    for name, settings in used.items():
        own = archives_dir / settings["file"]
        there, source = archive_paths.find(config, name), archive_search.stand_in(found, name)
        if there is None and source is None and os.path.isfile(own):  # compressed
            source = own
        place = archive_paths.place_of(config, name)
        if there is None and source and packed.parts_of(source, name, dataset_of(config)):
            place, source = packed.place_of(output, own.name), None
        linked = [*_linked(config, name), source]
        sizes = [_size(path) for path in (there, *linked) if path]
        size = next((size for size in sizes if size is not None), None)
        if size is None and (there or source):
            size = settings["bytes"] or dataset_of(config).archives[name].size  # of a folder that stands in for it
        if size is not None:
            archives[name] = size
        folders[name] = place.parent
        downloaded[name] = partial.bytes_of(place)
    receipts = {name: read_object(output / "verified" / f"{name}.json") for name in used}
    verified = {name for name, receipt in receipts.items() if receipt}
    images = {
        split.name: receipts[split.archive]["members"]
        for split in dataset_of(config).splits_in_use(config)
        if isinstance(receipts[split.archive].get("members"), int)
    }
    parts = configured_parts({**config, "products": list(products)}, products)
    made = {
        (kind, split): products[kind].existing(config, split) for kind, split in parts if kind not in (ARCHIVE, REST)
    }
    rest = bool(names(output / STATE / IMAGES.name))
    return Existing(archives, folders, downloaded, verified, images, made, rest, file_system_at(output).block)


def _linked(config: Mapping[str, Any], name: str) -> list[Path]:
    """Where an archive may lie that will only be linked."""
    if config["download"]["local"] != "link":
        return []
    urls = archive_paths.urls_of(config, name)
    return [path for url in urls if archive_paths.is_local(url) and (path := archive_paths.local_path(url))]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
