"""The schema of the configuration, the types that it gives to values, and the defaults that it fills in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.products.registry import DEFAULT_PRODUCTS, PRODUCTS
from imagenet_prep.products.shards import SECTION

_SCHEMA = Path(__file__).resolve().parents[1] / "schemas" / "config.schema.yaml"

_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")  # as it is commonly written; more digits than any key has
_BOOLEANS = {"true": True, "True": True, "false": False, "False": False}  # as YAML has them, and Snakemake


@cache
def load() -> dict[str, Any]:
    """The whole schema: the file, and what data set and products add; cached, so nobody may change it."""
    schema: dict[str, Any] = yaml.safe_load(_SCHEMA.read_text(encoding="utf-8"))
    keys, archives = schema["properties"], list(ILSVRC2012.archives)
    keys["archives"]["properties"] = {name: {"$ref": "#/$defs/archive"} for name in archives}
    _choice(keys["use"], "a name of an archive", archives, ILSVRC2012.use)
    _choice(keys["products"], "a product", list(PRODUCTS), DEFAULT_PRODUCTS)
    keys["shards"] = _section(SECTION)
    keys |= {name: _section(product.section) for name, product in PRODUCTS.items() if product.section}
    jobs = dict.fromkeys(key for product in PRODUCTS.values() for key in product.jobs)
    keys["jobs"] = _section({key: {"$ref": "#/$defs/units", "default": None} for key in jobs})
    return schema


def _choice(key: dict[str, Any], what: str, names: Sequence[str], default: Sequence[str]) -> None:
    """Let a list be of these names."""
    key["items"] = {"description": f"{what}: {_either(names)}", "enum": list(names)}
    key["default"] = list(default)


def _section(keys: Mapping[str, Any]) -> dict[str, Any]:
    """A section with these keys."""
    named = [*keys]
    described = f"the key {named[0]}" if len(named) == 1 else f"the keys {', '.join(named[:-1])} and {named[-1]}"
    return {"description": described, "type": "object", "additionalProperties": False, "properties": dict(keys)}


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def resolved(part: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """One part of the schema, with what its ``$ref`` names merged into it."""
    if "$ref" not in part:
        return dict(part)
    return {**root["$defs"][part["$ref"].removeprefix("#/$defs/")], **part}


def copied(value: Any) -> Any:
    """A copy without shared parts: YAML's anchors make two sections one object, and defaults would go into both."""
    if isinstance(value, Mapping):
        return {key: copied(below) for key, below in value.items()}
    return [copied(below) for below in value] if isinstance(value, list) else value


def give_types(values: dict[str, Any], part: Mapping[str, Any], root: Mapping[str, Any]) -> None:
    """Turn texts into what their keys want: Snakemake hands over most of what stands in ``--config`` as text."""
    for key, raw in part.get("properties", {}).items():
        subschema, value = resolved(raw, root), values.get(key)
        if isinstance(value, dict):
            give_types(value, subschema, root)
        elif isinstance(value, str):
            values[key] = _typed(value, subschema)


def _typed(text: str, subschema: Mapping[str, Any]) -> object:
    """What a text means for a key; the text itself where the key takes texts, or none like this one."""
    types = subschema.get("type", "string")  # without a type it is one of several words
    types = [types] if isinstance(types, str) else types
    if "null" in types and text == "null":
        return None
    if "string" in types:
        return text
    if "integer" in types and _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    if "boolean" in types:
        return _BOOLEANS.get(text, text)
    if "array" in types and text.startswith("[") and text.endswith("]"):
        # Keys that take lists and no texts have lists of words, in which there are neither commas nor quotes.
        return [word for item in text[1:-1].split(",") if (word := item.strip(" \"'"))]
    return text


def fill_defaults(values: dict[str, Any], part: Mapping[str, Any], root: Mapping[str, Any]) -> None:
    """Give the keys that are left out their defaults."""
    for key, raw in part.get("properties", {}).items():
        subschema = resolved(raw, root)
        if subschema.get("type") == "object":
            values.setdefault(key, {})
        elif "default" in subschema:
            values.setdefault(key, deepcopy(subschema["default"]))
        if isinstance(values.get(key), dict):
            fill_defaults(values[key], subschema, root)
