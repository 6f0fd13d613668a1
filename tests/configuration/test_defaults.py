"""The configuration as it is shipped, and as it is completed."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from configuration.official import CONFIG, DEMO, OFFICIAL, overlaid
from imagenet_prep.configuration import complete
from imagenet_prep.schema import SCHEMA


def test_the_shipped_configuration_holds_every_key_with_its_default(tmp_path: Path) -> None:
    written = complete(OFFICIAL, tmp_path)
    assert written == complete({"archives": OFFICIAL["archives"]}, tmp_path)
    assert {*OFFICIAL} == {*yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))["properties"]}


def test_the_demo_laid_over_it_is_valid_and_downloads_nothing(tmp_path: Path) -> None:
    config = complete(overlaid(DEMO), tmp_path)
    assert {*config["use"]} == {*config["archives"]}
    assert {archive[key] for archive in config["archives"].values() for key in ("url", "md5", "sha256", "bytes")} == {
        None
    }
    assert config["synthetic"]["classes"] == 20


def test_the_given_configuration_stays_as_it_is(tmp_path: Path) -> None:
    given = overlaid({"tfrecord": {"train_shards": 8}, "classes": ["n02119789", "n01440764"]})
    before = deepcopy(given)
    complete(given, tmp_path)["archives"]["train"]["file"] = "changed"
    assert given == before


def test_a_value_of_the_user_stands_beside_the_defaults_of_its_neighbours(tmp_path: Path) -> None:
    config = complete({"archives": OFFICIAL["archives"], "tfrecord": {"label_base": 0}}, tmp_path)
    assert config["tfrecord"]["label_base"] == 0
    assert config["tfrecord"]["train_shards"] == 1024


def test_every_key_is_described_in_the_readme() -> None:
    def dotted(properties: dict[str, Any], prefix: str = "") -> list[str]:
        names = []
        for key, value in properties.items():
            inner = value.get("properties", {})
            names += dotted(inner, f"{prefix}{key}.") if inner and key != "archives" else [f"{prefix}{key}"]
        return names

    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    keys = dotted(schema["properties"]) + dotted(schema["$defs"]["archive"]["properties"], "archives.<name>.")
    text = (CONFIG / "README.md").read_text(encoding="utf-8")
    assert [key for key in keys if f"`{key}`" not in text] == []


@pytest.mark.parametrize(
    ("archive", "algorithm", "path"),
    [("devkit", "md5", "devkit/ILSVRC2012_devkit_t12.tar.gz"), ("real_labels", "sha256", "real.json")],
)
def test_the_configured_checksums_are_those_of_the_real_files(
    shared_data: Path, archive: str, algorithm: str, path: str
) -> None:
    content = (shared_data / path).read_bytes()
    assert hashlib.new(algorithm, content).hexdigest() == OFFICIAL["archives"][archive][algorithm]
    assert len(content) == OFFICIAL["archives"][archive]["bytes"]
