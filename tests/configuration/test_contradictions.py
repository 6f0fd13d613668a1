"""Keys that contradict each other, or what is there: which are refused, and with which words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from configuration.official import DEMO, overlaid
from imagenet_prep.configuration import complete


def test_two_checksums_of_one_archive_are_refused(refusal: Callable[..., str]) -> None:
    message = refusal({"archives": {"train": {"md5": "0" * 32, "sha256": "0" * 64}}})
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
        (["test", "devkit"], "tfrecord", "train or val"),
        (["test", "devkit"], "tfrecord_index", "train or val"),
        (["train", "devkit", "multilabel"], "tfrecord_multilabel", "val"),
        (["val", "devkit"], "tfrecord_multilabel", "multilabel"),
        (["train", "devkit"], "tfrecord_multilabel", "multilabel and val"),
        (["devkit"], "imagefolder", "train or val or test or train_t3"),
        (["devkit"], "audit", "train or val or test or train_t3"),
    ],
)
def test_products_want_their_archives(refusal: Callable[..., str], use: list[str], product: str, wanted: str) -> None:
    assert refusal({"use": use, "products": [product]}) == (
        f"configuration key products: {product} is made from {wanted}, which use does not name. "
        f"Add {wanted} to use, or remove {product} from products."
    )


def test_the_validation_set_alone_is_enough_for_its_products(tmp_path: Path) -> None:
    use, products = (
        ["val", "devkit", "bbox_val"],
        ["imagefolder", "tfrecord", "tfrecord_index", "bboxes", "labels", "audit"],
    )
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
def test_outputs_and_archives_lie_apart(refusal: Callable[..., str], output: str, archives: str, key: str) -> None:
    assert refusal({"output_dir": output, "archives_dir": archives}).startswith(f"configuration key {key}: ")


@pytest.mark.parametrize("output", ["disk", "disk/results", "disk/../results"])
def test_outputs_on_an_unmounted_disk_are_refused(refusal: Callable[..., str], tmp_path: Path, output: str) -> None:
    (tmp_path / "disk").symlink_to("mnt/disk")
    assert refusal({"output_dir": output}) == (
        f"configuration key output_dir: {tmp_path}/disk is a link to {tmp_path}/mnt/disk, which is not there. "
        "Mount that disk, or mend the link."
    )


def test_outputs_behind_links_that_go_in_a_circle_are_refused(refusal: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "disk").symlink_to("disk")
    assert refusal({"output_dir": "disk"}).endswith("which is not there. Mount that disk, or mend the link.")


def test_a_product_linked_to_an_unmounted_disk_is_refused(refusal: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "tfrecord").symlink_to("../disk/tfrecord")
    said = refusal({})
    assert said.startswith("configuration key output_dir: ")
    assert f"results/tfrecord is a link to {tmp_path}/disk/tfrecord, which is not there" in said


def test_predictions_on_a_disk_that_is_not_mounted_are_refused(refusal: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "predictions").symlink_to("disk/predictions")
    assert refusal({}).startswith("configuration key predictions_dir: ")


def test_archives_on_a_disk_that_is_not_mounted_are_left_to_those_that_need_them(tmp_path: Path) -> None:
    (tmp_path / "disk").symlink_to("mnt/disk")
    assert complete(overlaid({"archives_dir": "disk/archives"}), tmp_path)["archives_dir"] == "disk/archives"


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
def test_no_place_to_publish_to_is_refused(refusal: Callable[..., str], tmp_path: Path, url: str, said: str) -> None:
    (tmp_path / "file").touch()
    message = refusal({"publish": {"url": url}})
    assert message.startswith("configuration key publish.url: ")
    assert said in message
    assert "hidden" not in message


@pytest.mark.parametrize("url", ["gs://bucket/folder", "s3://bucket", "/mnt/share", "../share", "file:///mnt/share"])
def test_a_bucket_or_a_folder_can_be_published_to(url: str, tmp_path: Path) -> None:
    assert complete(overlaid({"publish": {"url": url}}), tmp_path)["publish"]["url"] == url


@pytest.mark.parametrize(("key", "value"), [("classes", 0), ("max_side", 15), ("test_images", 0), ("seed", -1)])
def test_a_size_of_the_synthetic_archives_that_makes_no_sense_is_refused(
    refusal: Callable[..., str], key: str, value: int
) -> None:
    message = refusal({"synthetic": {**DEMO["synthetic"], key: value}})
    assert message.startswith(f"configuration key synthetic.{key}: {value} is not allowed here. Write a whole number")


def test_more_synthetic_dog_classes_than_classes_are_refused(refusal: Callable[..., str]) -> None:
    message = refusal({"synthetic": {**DEMO["synthetic"], "train_t3_classes": 21}})
    assert message.startswith("configuration key synthetic.train_t3_classes: 21 is more than classes (20)")


def test_packed_archives_stay_where_a_product_points_into_them(refusal: Callable[..., str]) -> None:
    message = refusal({"keep_packed": False, "products": ["archive_index", "bboxes"]})
    assert message.startswith("configuration key keep_packed: it is false, and archive_index is of use only as long as")
    assert message.endswith("Set it to true, or remove archive_index from products.")
