"""The official configuration, and others laid over it."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

CONFIG = Path(__file__).resolve().parents[2] / "config"
OFFICIAL, DEMO = (yaml.safe_load((CONFIG / name).read_text(encoding="utf-8")) for name in ("config.yaml", "demo.yaml"))


def overlaid(over: dict[str, Any], base: dict[str, Any] = OFFICIAL) -> dict[str, Any]:
    """The official configuration with other values laid over it, as Snakemake lays one file over another."""
    merged = deepcopy(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = overlaid(value, merged[key]) if both else value
    return merged


def nested(dotted: str, value: object) -> dict[str, Any]:
    """The value under its dotted key: nested("a.b", 1) is {"a": {"b": 1}}."""
    first, _, rest = dotted.partition(".")
    return {first: nested(rest, value) if rest else value}
