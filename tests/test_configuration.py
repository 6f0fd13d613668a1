"""The configuration: what is completed, and what is refused with which words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from imagenet_prep.configuration import SCHEMA, complete
from imagenet_prep.errors import PrepError

CONFIG = Path(__file__).resolve().parent.parent / "config"
OFFICIAL = yaml.safe_load((CONFIG / "config.yaml").read_text(encoding="utf-8"))


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


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[[dict[str, Any]], str]:
    """The message with which a configuration is refused."""

    def message(over: dict[str, Any]) -> str:
        with pytest.raises(PrepError) as caught:
            complete(overlaid(over), tmp_path)
        return str(caught.value)

    return message


# What is completed


def test_the_shipped_configuration_holds_every_key_with_its_default(tmp_path: Path) -> None:
    written = complete(OFFICIAL, tmp_path)
    assert written == complete({"archives": OFFICIAL["archives"]}, tmp_path)
    assert {*OFFICIAL} == {*yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))["properties"]}


def test_the_demo_laid_over_it_is_valid_and_downloads_nothing(tmp_path: Path) -> None:
    demo = yaml.safe_load((CONFIG / "demo.yaml").read_text(encoding="utf-8"))
    config = complete(overlaid(demo), tmp_path)
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


# Classes


def test_classes_of_a_file_may_have_comments_and_empty_lines(tmp_path: Path) -> None:
    (tmp_path / "foxes.txt").write_text("# foxes\nn02119789  # kit fox\n\nn02119022\n", encoding="utf-8")
    assert complete(overlaid({"classes": "foxes.txt"}), tmp_path)["classes"] == ["n02119022", "n02119789"]


@given(st.lists(st.from_regex(r"n[0-9]{8}", fullmatch=True), min_size=1, unique=True))
@settings(deadline=None)
def test_the_order_in_which_classes_are_named_does_not_matter(wnids: list[str]) -> None:
    assert complete(overlaid({"classes": wnids}), Path())["classes"] == sorted(wnids)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (["n02119789", "n02119789"], "n02119789 is named twice"),
        (["02119789"], '"02119789" is not allowed here. Write a WNID'),
        ([], "[] is empty"),
        ("n02119789", "Write it as a list: [n02119789]"),
        ("nowhere.txt", "nowhere.txt cannot be read: No such file or directory"),
        (".", "cannot be read: Is a directory"),
    ],
)
def test_classes_that_cannot_be_meant_are_refused(refusal: Callable[..., str], classes: object, words: str) -> None:
    message = refusal({"classes": classes})
    assert message.startswith("configuration key classes: ")
    assert words in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"n02119789\nkit fox\n", '"kit fox" in line 2 of'),
        (b"n02119789\n#\nn02119789\n", "n02119789 in line 3 of"),
        (b"# nothing\n", "names no class"),
        (b"\xff\xfe\x00", "not a text file"),
    ],
)
def test_a_file_of_classes_that_is_none_is_refused(
    refusal: Callable[..., str], tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "classes.txt").write_bytes(content)
    message = refusal({"classes": "classes.txt"})
    assert words in message
    assert "classes.txt" in message


# Keys and values


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("output", "output_dir"),
        ("tfrecord.train_shard", "train_shards"),
        ("archives.vall", "val"),
        ("archives.train.md5sum", "md5"),
    ],
)
def test_an_unknown_key_is_refused_with_the_one_that_was_probably_meant(
    refusal: Callable[..., str], key: str, meant: str
) -> None:
    message = refusal(nested(key, None))
    assert message == f"configuration key {key}: this key is unknown. Write {meant} if that is meant, or remove it."


def test_an_unknown_key_like_no_other_is_refused_with_those_that_there_are(refusal: Callable[..., str]) -> None:
    assert "Write one of connections, local, or remove it" in refusal({"download": {"xyz": 1}})


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("output_dir", 5, "5"),
        ("output_dir", "", '""'),
        ("tfrecord.train_shards", 0, "0"),
        ("tfrecord.train_shards", 100000, "100000"),
        ("tfrecord.train_shards", 8.0, "8.0"),
        ("tfrecord.train_shards", "8", '"8"'),
        ("tfrecord.train_shards", True, "true"),
        ("tfrecord.validation_shards", None, "null"),
        ("tfrecord.seed", -1, "-1"),
        ("tfrecord.label_base", 2, "2"),
        ("tfrecord.cmyk_to_rgb", "yes", '"yes"'),
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
def test_a_value_that_does_not_fit_is_refused_with_key_value_and_mend(
    refusal: Callable[..., str], key: str, value: object, shown: str
) -> None:
    message = refusal(nested(key, value))
    place, _, said = message.partition(": ")
    assert place == f"configuration key {key}"
    assert said.startswith(f"{shown} is ")
    assert " Write " in said


def test_an_archive_that_does_not_exist_is_refused_with_the_one_that_was_probably_meant(
    refusal: Callable[..., str],
) -> None:
    message = refusal({"use": ["train", "val", "devkitt"], "products": ["imagefolder"]})
    assert message.startswith('configuration key use: "devkitt" is not allowed here (did you mean devkit?). Write')


def test_a_missing_archive_is_named() -> None:
    without = {name: archive for name, archive in OFFICIAL["archives"].items() if name != "val"}
    with pytest.raises(PrepError, match=r"configuration key archives\.val: this key is missing"):
        complete({"archives": without}, Path())


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


# Keys that contradict each other


def test_two_checksums_of_one_archive_are_refused(refusal: Callable[..., str]) -> None:
    message = refusal({"archives": {"train": {"sha256": "0" * 64}}})
    assert message.startswith("configuration key archives.train: md5 and sha256 are both given. ")


def test_two_archives_in_one_file_are_refused(refusal: Callable[..., str]) -> None:
    message = refusal({"archives": {"test": {"file": "ILSVRC2012_img_val.tar"}}})
    assert '"ILSVRC2012_img_val.tar" is also the file of archives.val' in message


def test_nothing_is_made_without_the_devkit(refusal: Callable[..., str]) -> None:
    message = refusal({"use": ["val"], "products": ["imagefolder"]})
    assert message.startswith("configuration key use: devkit is not in the list")


@pytest.mark.parametrize(
    ("use", "product", "wanted"),
    [
        (["train", "val", "devkit"], "bboxes", "bbox_train or bbox_val"),
        (["train", "val", "devkit"], "multilabel", "multilabel"),
        (["test", "devkit"], "tfrecords", "train or val"),
        (["test", "devkit"], "indexes", "train or val"),
        (["devkit"], "imagefolder", "train or val or test or train_t3"),
        (["devkit"], "audit", "train or val or test or train_t3"),
    ],
)
def test_a_product_whose_archives_are_not_in_use_is_refused(
    refusal: Callable[..., str], use: list[str], product: str, wanted: str
) -> None:
    assert refusal({"use": use, "products": [product]}) == (
        f"configuration key products: {product} is made from {wanted}, which use does not name. "
        f"Add {wanted} to use, or remove {product} from products."
    )


def test_the_validation_set_alone_is_enough_for_its_products(tmp_path: Path) -> None:
    use, products = ["val", "devkit", "bbox_val"], ["imagefolder", "tfrecords", "indexes", "bboxes", "labels", "audit"]
    assert complete(overlaid({"use": use, "products": products}), tmp_path)["products"] == products


@pytest.mark.parametrize(
    ("output", "archives", "key"),
    [
        ("data", "data", "output_dir"),
        ("data", "./other/../data", "output_dir"),
        ("data/results", "data", "output_dir"),
        ("data", "data/archives", "archives_dir"),
    ],
)
def test_outputs_and_archives_may_not_lie_in_each_other(
    refusal: Callable[..., str], output: str, archives: str, key: str
) -> None:
    assert refusal({"output_dir": output, "archives_dir": archives}).startswith(f"configuration key {key}: ")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("./results", "is output_dir, or one of them lies in the other"),
        ("./results/published", "is output_dir, or one of them lies in the other"),
        ("./", "is output_dir, or one of them lies in the other"),
        ("./archives/x", "is archives_dir, or one of them lies in the other"),
        ("./file/x", "is a file, not a folder"),
        ("s3://key:hidden@bucket/folder", "it holds a password"),
        ("https://example.org/folder", "web servers take no files"),
    ],
)
def test_a_place_that_cannot_be_published_to_is_refused(
    refusal: Callable[..., str], tmp_path: Path, url: str, said: str
) -> None:
    (tmp_path / "file").touch()
    message = refusal({"publish": {"url": url}})
    assert message.startswith("configuration key publish.url: ")
    assert said in message
    assert "hidden" not in message


@pytest.mark.parametrize("url", ["gs://bucket/folder", "s3://bucket", "/mnt/share", "../share", "file:///mnt/share"])
def test_a_bucket_or_a_folder_can_be_published_to(url: str, tmp_path: Path) -> None:
    assert complete(overlaid({"publish": {"url": url}}), tmp_path)["publish"]["url"] == url


def test_more_synthetic_dog_classes_than_classes_are_refused(refusal: Callable[..., str]) -> None:
    demo = yaml.safe_load((CONFIG / "demo.yaml").read_text(encoding="utf-8"))
    message = refusal({"synthetic": {**demo["synthetic"], "train_t3_classes": 21}})
    assert message.startswith("configuration key synthetic.train_t3_classes: 21 is more than classes (20)")


# Real files


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
def test_what_no_key_can_mean_is_refused_by_its_key(
    refusal: Callable[[dict[str, Any]], str], text: str, words: str
) -> None:
    assert refusal(yaml.safe_load(text)).startswith(f"configuration key {words}")
