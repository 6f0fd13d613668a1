"""Keys and values, each taken alone: which are refused, and with which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from configuration.official import nested
from imagenet_prep.products.registry import FORMER_KEYS, FORMER_NAMES


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("output", "output_dir"),
        ("tfrecord.train_shard", "train_shards"),
        ("archives.vall", "val"),
        ("archives.train.md5sum", "md5"),
    ],
)
def test_an_unknown_key_is_refused_with_the_likely_one(refusal: Callable[..., str], key: str, meant: str) -> None:
    message = refusal(nested(key, None))
    assert message == f"configuration key {key}: this key is unknown. Write {meant} if that is meant, or remove it."


def test_an_unknown_key_like_no_other_is_refused_with_those_that_there_are(refusal: Callable[..., str]) -> None:
    assert "Write one of connections, local, or remove it" in refusal({"download": {"xyz": 1}})


@pytest.mark.parametrize("value", ["imagenet_v2", None, ["a"]])
def test_a_key_that_there_is_not_yet_is_unknown_whatever_it_says(refusal: Callable[..., str], value: object) -> None:
    assert "configuration key dataset: this key is unknown" in refusal({"dataset": value})


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("output_dir", 5, "5"),
        ("output_dir", "", '""'),
        ("tfrecord.train_shards", 0, "0"),
        ("tfrecord.train_shards", 100000, "100000"),
        ("tfrecord.train_shards", 8.0, "8.0"),
        ("tfrecord.train_shards", "8.0", '"8.0"'),
        ("tfrecord.train_shards", "abc", '"abc"'),
        ("tfrecord.train_shards", "9" * 5000, f'"{"9" * 56}...'),
        ("tfrecord.train_shards", True, "true"),
        ("tfrecord.validation_shards", None, "null"),
        ("shards.seed", -1, "-1"),
        ("tfrecord.label_base", 2, "2"),
        ("shards.cmyk_to_rgb", "yes", '"yes"'),
        ("tfrecord", None, "null"),
        ("subset_labels", "renumber", '"renumber"'),
        ("imagefolder.val_dirs", "names", '"names"'),
        ("jobs.index_shards", 0, "0"),
        ("download.local", "move", '"move"'),
        ("download.connections", 0, "0"),
        ("archives.train.file", "sub/train.tar", '"sub/train.tar"'),
        ("archives.train.url", "ftp://host/train.tar", '"ftp://host/train.tar"'),
        ("archives.train.url", ["/data/train.tar"], '"/data/train.tar"'),
        ("archives.train.md5", "1D675B47", '"1D675B47"'),
        ("archives.train.md5", 12, "12"),
        ("archives.train.bytes", 0, "0"),
        ("publish.url", "bucket", '"bucket"'),
        ("synthetic", True, "true"),
        ("use", "train", '"train"'),
    ],
)
def test_a_value_that_does_not_fit_is_refused(refusal: Callable[..., str], key: str, value: object, shown: str) -> None:
    message = refusal(nested(key, value))
    place, _, said = message.partition(": ")
    assert place == f"configuration key {key}"
    assert said.startswith(f"{shown} is ")
    assert " Write " in said


def test_what_stands_in_a_list_twice_is_named(refusal: Callable[..., str]) -> None:
    message = refusal({"use": ["train", "val", "devkit", "val"], "products": ["imagefolder"]})
    assert message.startswith('configuration key use: "val" is in the list more than once. Write it once')


def test_a_list_of_what_only_the_schema_takes_for_the_same_is_refused(refusal: Callable[..., str]) -> None:
    lines = refusal({"use": [[], b""]}).splitlines()
    assert lines[0] == "configuration: 3 problems"
    assert [line.partition(" is not allowed here. Write a ")[0].strip() for line in lines[1:]] == [
        "configuration key use: [[], \"b''\"]",
        "configuration key use: []",
        "configuration key use: \"b''\"",
    ]


def test_an_unknown_archive_is_refused_with_the_one_that_was_probably_meant(refusal: Callable[..., str]) -> None:
    message = refusal({"use": ["train", "val", "devkitt"], "products": ["imagefolder"]})
    assert message.startswith('configuration key use: "devkitt" is not allowed here (did you mean devkit?). Write')


@pytest.mark.parametrize(("name", "now"), FORMER_NAMES.items())
def test_a_product_s_former_name_is_refused_with_its_own(refusal: Callable[..., str], name: str, now: str) -> None:
    message = refusal({"products": ["imagefolder", name]})
    assert message == f"configuration key products: {name} is called {now} now. Write {now} in its place."


@pytest.mark.parametrize(("key", "now"), FORMER_KEYS.items())
def test_a_former_key_is_refused_with_the_one_that_counts_now(refusal: Callable[..., str], key: str, now: str) -> None:
    message = refusal(nested(key, 1))
    assert message == f"configuration key {key}: this key is called {now} now. Write {now} in its place."


def test_the_incomplete_key_of_the_synthetic_archives_is_named_once(refusal: Callable[..., str]) -> None:
    synthetic = {"seed": 1, "classes": 2, "train_images_per_class": 2, "val_images_per_class": 2, "test_images": 2}
    message = refusal({"synthetic": {**synthetic, "train_t3_classes": 1, "train_t3_images_per_class": 1}})
    assert message.startswith("configuration key synthetic.max_side: this key is missing. Write")
    assert message.count("synthetic") == 1


def test_all_problems_are_listed_in_one_message(refusal: Callable[..., str]) -> None:
    lines = refusal({"tfrecord": {"train_shards": 0, "sed": 1}, "output_dir": "archives"}).splitlines()
    assert lines[0] == "configuration: 3 problems"
    assert [line.split(": ")[0] for line in lines[1:]] == [
        "  configuration key tfrecord.sed",
        "  configuration key tfrecord.train_shards",
        "  configuration key output_dir",
    ]


# What YAML can say, and no key means


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("classes: &a [*a]", "classes: it is nested too deep, or in itself"),
        ("jobs: {2012-01-01: 1}", "jobs: the key datetime.date(2012, 1, 1) in it is no text"),
        (r'output_dir: "a\0b"', r"output_dir: 'a\x00b' holds what is no text"),
        (r'archives_dir: "\ud800"', r"archives_dir: '\ud800' holds what is no text"),
        ("classes: /dev/zero", "classes: /dev/zero is no file of WNIDs"),
    ],
)
def test_what_no_key_means_is_refused_by_key(refusal: Callable[[dict[str, Any]], str], text: str, words: str) -> None:
    assert refusal(yaml.safe_load(text)).startswith(f"configuration key {words}")
