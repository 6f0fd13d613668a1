"""What lies there already of the configured archives and products, so that no space is needed for it.

Imports are light, since the Snakefile looks here before a run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagenet_prep.dataset import places, possessions
from imagenet_prep.dataset.names import ARCHIVE_OF_SPLIT, BOXES_OF_SPLIT, TREE_OF_SPLIT, shard_name
from imagenet_prep.dataset.space import (
    ARCHIVE,
    IMAGEFOLDER,
    REST,
    TFRECORD_MULTILABEL,
    There,
    configured_parts,
    units,
)
from imagenet_prep.download import partial
from imagenet_prep.room import room_at


def look(config: Mapping[str, Any]) -> There:
    """What of the configured archives and products, complete, lies there already."""
    output, archives_dir, spare = Path(config["output_dir"]), Path(config["archives_dir"]), places.spare_of(config)
    used = {name: config["archives"][name] for name in config["use"]}
    found = possessions.find(archives_dir, used, checksums=False)
    archives, folders, downloaded = {}, {}, {}
    for name, settings in used.items():
        own = archives_dir / settings["file"]
        linked = [*_linked(settings, config["download"]["local"]), possessions.stand_in(found, name)]
        sizes = [_size(path) for path in (places.find(config, name), *linked) if path]
        size = next((size for size in sizes if size is not None), None)
        if size is not None:
            archives[name] = size
        place = places.place_of(own, spare)
        folders[name] = place.parent
        downloaded[name] = _begun(place)
    receipts = {name: _read(output / "verified" / f"{name}.json") for name in used}
    verified = {name for name, receipt in receipts.items() if receipt}
    images = {
        split: receipts[archive]["members"]
        for split, archive in ARCHIVE_OF_SPLIT.items()
        if archive in verified and isinstance(receipts[archive].get("members"), int)
    }
    made = {
        part: _made(config, output, *part)
        for part in configured_parts({**config, "products": [IMAGEFOLDER, "indexes", "multilabel_tfrecords"]})
    }
    rest = (output / "tables" / "images.parquet").is_file()
    return There(archives, folders, downloaded, verified, images, made, rest, room_at(output).block)


def _linked(settings: Mapping[str, Any], local: str) -> list[Path]:
    """Where an archive lies that will only be linked."""
    urls = settings["url"] if isinstance(settings["url"], list) else [settings["url"] or ""]
    paths = [places.local_path(url) for url in urls if places.is_local(url) and local == "link"]
    return [path for path in paths if path]


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def _begun(archive: Path) -> int:
    """Bytes that a download to this place fills already, whose file has holes."""
    try:
        return partial.path_of(archive).stat().st_blocks * 512
    except OSError:
        return 0


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _made(config: Mapping[str, Any], output: Path, kind: str, split: str) -> int:
    """How many class folders or shards of a part lie there: what is made anew of them takes the place of what was."""
    if kind in (ARCHIVE, REST):
        return 0
    if kind == TFRECORD_MULTILABEL:
        return sum(1 for _ in (output / kind).glob("*-of-*"))
    total = units(config, kind, split)
    if kind != IMAGEFOLDER:
        return sum((output / kind / shard_name(split, shard, total)).is_file() for shard in range(total))
    tree = output / kind / TREE_OF_SPLIT[split]
    if split not in BOXES_OF_SPLIT:
        return min(1, sum(1 for _ in tree.glob("*")))
    if split == "validation" and config["imagefolder"]["val_dirs"] == "index":
        return sum(1 for _ in tree.glob("[0-9][0-9][0-9]"))
    names = {path.name for path in tree.glob("n*")}
    return len(names & set(config["classes"]) if config["classes"] else names)
