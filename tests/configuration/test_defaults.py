"""The configuration as it is shipped, and as it is completed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from configuration.official import CONFIG, DEMO, OFFICIAL, nested, overlaid
from imagenet_prep.configuration import complete
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.schema import load, resolved

GIVEN: dict[str, Any] = {
    "file": "mine.tar",
    "url": ["https://mirror.example.org/mine.tar"],
    "md5": "0" * 32,
    "sha256": "0" * 64,
    "unpacked_sha256": "1" * 64,
    "bytes": 5,
}
"""A value of every key of an archive."""

LAID_OVER = [(name, key, value) for name in ILSVRC2012.archives for key, value in GIVEN.items()]
LAID_OVER += [(name, key, None) for name in ILSVRC2012.archives for key in GIVEN if key != "file"]


def test_the_shipped_configuration_says_what_counts_without_it(tmp_path: Path) -> None:
    assert complete(OFFICIAL, tmp_path) == complete({}, tmp_path)


def test_what_it_shows_of_other_keys_are_their_defaults(tmp_path: Path) -> None:
    shown = re.sub(r"^# (\w+: )", r"\1", (CONFIG / "config.yaml").read_text(), flags=re.MULTILINE)
    config = yaml.safe_load(shown)
    assert len(config) > len(OFFICIAL)
    assert complete(config, tmp_path) == complete({}, tmp_path)


def test_what_is_complete_stays_so(tmp_path: Path) -> None:
    for config in (complete({}, tmp_path), complete(overlaid(DEMO), tmp_path)):
        assert complete(config, tmp_path) == config


def test_the_demo_laid_over_it_is_valid_and_downloads_nothing(tmp_path: Path) -> None:
    config = complete(overlaid(DEMO), tmp_path)
    assert {*config["use"]} == {*config["archives"]}
    assert {archive[key] for archive in config["archives"].values() for key in GIVEN if key != "file"} == {None}
    assert config["synthetic"]["classes"] == 20


def test_the_given_configuration_stays_as_it_is(tmp_path: Path) -> None:
    given = overlaid({"tfrecord": {"train_shards": 8}, "classes": ["n02119789", "n01440764"]})
    before = deepcopy(given)
    complete(given, tmp_path)["archives"]["train"]["file"] = "changed"
    assert given == before


def test_a_value_of_the_user_stands_beside_the_defaults_of_its_neighbours(tmp_path: Path) -> None:
    config = complete({"tfrecord": {"label_base": 0}}, tmp_path)
    assert config["tfrecord"]["label_base"] == 0
    assert config["tfrecord"]["train_shards"] == 1024


# What is known of the archives


def test_archives_of_which_nothing_is_given_are_those_that_are_published(tmp_path: Path) -> None:
    archives = complete({}, tmp_path)["archives"]
    assert archives == {name: archive.settings() for name, archive in ILSVRC2012.archives.items()}
    assert all(archive["url"] and (archive["md5"] or archive["sha256"]) for archive in archives.values())


def test_of_made_up_archives_only_the_names_are_known(tmp_path: Path) -> None:
    archives = complete({"synthetic": DEMO["synthetic"]}, tmp_path)["archives"]
    nothing = dict.fromkeys(GIVEN)
    assert archives == {name: {**nothing, "file": of.file} for name, of in ILSVRC2012.archives.items()}


@pytest.mark.parametrize(("name", "key", "value"), LAID_OVER)
def test_what_is_given_of_an_archive_is_laid_over_its_own(name: str, key: str, value: Any, tmp_path: Path) -> None:
    before = complete({}, tmp_path)["archives"]
    wanted = {**before[name], key: value}
    if value and key in ("md5", "sha256"):  # one checksum is enough, and only that of the user is sure to hold
        wanted["sha256" if key == "md5" else "md5"] = None
    found = complete(nested(f"archives.{name}.{key}", value), tmp_path)["archives"]
    assert found == {**before, name: wanted}


# What the schema says


def parts(part: dict[str, Any], place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key and every item of a list, by its dotted key, with what the schema says of it."""
    for key, raw in part.get("properties", {}).items():
        subschema = resolved(raw, load())
        yield f"{place}{key}", subschema
        yield from parts(subschema, f"{place}{key}.")
    if "items" in part:
        yield f"{place}[]", resolved(part["items"], load())


PARTS = dict(parts(load()))


@pytest.mark.parametrize("key", PARTS)
def test_every_key_has_a_description_that_completes_the_sentence_with_write(key: str) -> None:
    description = PARTS[key]["description"]
    assert description
    assert description.strip(" .") == description
    assert "\n" not in description


def test_every_key_that_is_left_out_gets_a_value_but_those_of_made_up_archives() -> None:
    whole = complete({}, Path())
    required = {f"synthetic.{key}" for key in PARTS["synthetic"]["required"]}
    for key in PARTS:
        if not key.endswith("[]") and key not in required:
            value: Any = whole
            for step in key.split("."):
                value = value[step]


def test_every_key_is_described_in_the_readme() -> None:
    keys = {key for key, part in PARTS.items() if "properties" not in part and not key.endswith("[]")}
    archives = {key for key in keys if key.startswith("archives.")}
    keys = keys - archives | {f"archives.<name>.{key}" for key in GIVEN} | {"archives", "synthetic"}
    text = (CONFIG / "README.md").read_text(encoding="utf-8")
    assert {key.rpartition(".")[2] for key in archives} == {*GIVEN}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []


@pytest.mark.parametrize(
    ("archive", "algorithm", "path"),
    [("devkit", "md5", "devkit/ILSVRC2012_devkit_t12.tar.gz"), ("real_labels", "sha256", "real.json")],
)
def test_declared_checksums_are_of_the_real_files(shared_data: Path, archive: str, algorithm: str, path: str) -> None:
    content = (shared_data / path).read_bytes()
    declared = ILSVRC2012.archives[archive].settings()
    assert hashlib.new(algorithm, content).hexdigest() == declared[algorithm]
    assert len(content) == declared["bytes"]


def test_sections_that_yaml_has_made_one_get_each_its_own_defaults(tmp_path: Path) -> None:
    config = yaml.safe_load("tfrecord: &number {train_shards: 8}\narrayrecord: *number")
    completed = complete(overlaid({}) | config, tmp_path)
    assert completed["tfrecord"] == {"train_shards": 8, "validation_shards": 128, "label_base": 1}
    assert completed["arrayrecord"] == {"train_shards": 8, "validation_shards": 64}
