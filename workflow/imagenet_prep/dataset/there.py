"""What lies there already of the configured archives and products, so that no space is needed for it.

Imports are light, since the Snakefile looks here before a run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imagenet_prep.dataset import places, possessions
from imagenet_prep.dataset.names import ARCHIVE_OF_SPLIT, BOXES_OF_SPLIT
from imagenet_prep.dataset.space import ARCHIVE, IMAGEFOLDER, REST, There, configured_parts, units
from imagenet_prep.download import partial
from imagenet_prep.room import room_at


def look(config: Mapping[str, Any], spare: Path) -> There:
    """What of the configured archives and products lies there already.

    Args:
        config: complete.
        spare: the folder where archives go for which `archives_dir` has no place.
    """
    output, archives_dir = Path(config["output_dir"]), Path(config["archives_dir"])
    used = {name: config["archives"][name] for name in config["use"]}
    found = possessions.find(archives_dir, used, checksums=False)
    archives, folders, downloaded = {}, {}, {}
    for name, settings in used.items():
        own = archives_dir / settings["file"]
        linked = [*_linked(settings, config["download"]["local"]), possessions.stand_in(found, name)]
        sizes = [_size(path) for path in (own, spare / own.name, *linked) if path]
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
        for part in configured_parts({**config, "products": [IMAGEFOLDER, "indexes"]})
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
    """How many class folders or shards of a part the receipts of its batches name."""
    if kind in (ARCHIVE, REST):
        return 0
    key = "folders" if kind == IMAGEFOLDER else "files"
    made = [_read(path).get(key) for path in (output / "state" / kind).glob(f"{split}-*.json")]
    names = {name for batch in made if isinstance(batch, dict) for name in batch}
    if kind != IMAGEFOLDER:
        return len({name for name in names if name.endswith(f"-of-{units(config, kind, split):05d}")})
    if split not in BOXES_OF_SPLIT:
        return min(1, len(names))
    if split == "validation" and config["imagefolder"]["val_dirs"] == "index":
        return len({name for name in names if name.isdigit()})
    return len(names & set(config["classes"]) if config["classes"] else {n for n in names if n.startswith("n")})
