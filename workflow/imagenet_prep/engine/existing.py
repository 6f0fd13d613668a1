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
    output, used = Path(config["output_dir"]), {name: config["archives"][name] for name in config["use"]}
    found = archive_search.find(Path(config["archives_dir"]), used, dataset_of(config), checksums=False)
    archives, places, downloaded = {}, {}, {}
    for name in used:
        size, place = _archive(config, name, archive_search.stand_in(found, name))
        if size is not None:
            archives[name] = size
        places[name] = place.parent
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
    return Existing(archives, places, downloaded, verified, images, made, rest, file_system_at(output).block)


def _archive(config: Mapping[str, Any], name: str, source: Path | None) -> tuple[int | None, Path]:
    """The size of an archive that exists and will at most be linked, else None; and the file that it would become.

    Args:
        config: complete.
        name: the archive's.
        source: what stands in for it; None where nothing does.
    """
    settings, place = config["archives"][name], archive_paths.place_of(config, name)
    archive = archive_paths.find(config, name)
    if archive is None:
        own = Path(config["archives_dir"], settings["file"])
        if source is None and os.path.isfile(own):  # compressed
            source = own
        if source and packed.parts_of(source, name, dataset_of(config)):
            place, source = packed.place_of(Path(config["output_dir"]), own.name), None
    sizes = (_size(path) for path in (archive, *_linked(config, name), source) if path)
    size = next((size for size in sizes if size is not None), None)
    if size is None and (archive or source):  # a folder stands in for it
        size = settings["bytes"] or dataset_of(config).archives[name].size
    return size, place


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
