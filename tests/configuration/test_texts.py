"""Values that come as text, as Snakemake hands over what stands in its option --config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from snakemake.cli import parse_config

from configuration.official import DEMO, OFFICIAL, nested, overlaid
from imagenet_prep.configuration import complete
from imagenet_prep.errors import PrepError
from imagenet_prep.schema import load, resolved


def leaves(part: dict[str, Any], place: str = "") -> dict[str, dict[str, Any]]:
    """What the schema says of every key that holds no other keys, by the dotted key."""
    found: dict[str, dict[str, Any]] = {}
    for key, raw in part["properties"].items():
        subschema = resolved(raw, SCHEMA)
        found |= leaves(subschema, f"{place}{key}.") if "properties" in subschema else {f"{place}{key}": subschema}
    return found


SCHEMA = load()
LEAVES = leaves(SCHEMA)


def types(key: str) -> set[str]:
    """What a key takes; one of several words is text."""
    of_key = LEAVES[key].get("type", "string")
    return {of_key} if isinstance(of_key, str) else {*of_key}


TAKE_TEXT = [key for key in LEAVES if "string" in types(key)]
TAKE_NONE = [key for key in LEAVES if "string" not in types(key)]


def outcome(key: str, value: object) -> dict[str, Any] | str:
    """What becomes of a configuration with this value: it is completed, or refused with a message."""
    try:
        return complete(overlaid(nested(key, value), overlaid(DEMO)), Path("/nowhere"))
    except PrepError as error:
        return str(error)


@pytest.mark.parametrize("config", [complete(OFFICIAL, Path()), overlaid(DEMO)], ids=["every key", "demo"])
def test_a_configuration_on_the_command_line_is_the_one_of_the_file(config: dict[str, Any], tmp_path: Path) -> None:
    handed_over = parse_config([f"{key}={json.dumps(value)}" for key, value in config.items()])
    assert handed_over != config
    assert complete(handed_over, tmp_path) == complete(config, tmp_path)


@pytest.mark.parametrize("key", TAKE_NONE)
def test_a_text_is_what_it_would_be_in_a_file_where_its_key_takes_no_text(key: str) -> None:
    values = {
        "integer": [0, 1, 7, 256, 10**12, -1],
        "boolean": [True, False],
        "array": [LEAVES[key].get("default"), ["train", "nonsense"], []],
        "null": [None],
    }
    for value in (value for type_ in types(key) for value in values[type_]):
        assert outcome(key, json.dumps(value)) == outcome(key, value)


@pytest.mark.parametrize("key", TAKE_NONE)
def test_a_text_that_is_nothing_of_what_its_key_takes_is_refused_as_it_stands(key: str) -> None:
    for text in ("abc", "yes", "1.0", "1e3", "007", "0x10", "+1", "1 000", "\u0663", "", "[", "None", "{}"):
        refused = f"configuration key {key}: {json.dumps(text, ensure_ascii=False)} is not allowed here. "
        assert outcome(key, text) == f"{refused}Write {LEAVES[key]['description']}."


@pytest.mark.parametrize("key", TAKE_TEXT)
def test_a_text_stays_one_where_its_key_takes_texts(key: str) -> None:
    for text in ("7", "true", '["train"]'):
        assert outcome(key, text) != outcome(key, json.loads(text))


@pytest.mark.parametrize("key", LEAVES)
def test_the_text_null_is_null_wherever_a_key_may_be_null(key: str) -> None:
    assert (outcome(key, "null") == outcome(key, None)) is ("null" in types(key))


def test_the_word_with_which_all_synthetic_keys_are_put_aside_may_be_a_text(tmp_path: Path) -> None:
    assert complete(overlaid({"synthetic": "null"}), tmp_path)["synthetic"] is None


def test_a_list_given_as_text_needs_no_quotes(tmp_path: Path) -> None:
    assert complete(overlaid({"products": "[imagefolder, audit]"}), tmp_path)["products"] == ["imagefolder", "audit"]


def test_python_s_words_for_true_and_false_are_taken_too(tmp_path: Path) -> None:
    handed_over = parse_config(["shards={cmyk_to_rgb: False, png_to_jpeg: True}"])
    made = complete(overlaid(handed_over), tmp_path)["shards"]
    assert (made["cmyk_to_rgb"], made["png_to_jpeg"]) == (False, True)
