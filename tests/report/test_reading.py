"""What the page takes from docs/readers.md and the README."""

from __future__ import annotations

import html
import re
import zipfile
from pathlib import Path

import pytest

from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.products.registry import PRODUCTS
from imagenet_prep.report.reading import TERMS, read_section, terms, ways_to_read

ALL = list(PRODUCTS)
USE = ["train", "val", "devkit"]


@pytest.fixture
def readers(checkout: Path) -> Path:
    return checkout / "docs" / "readers.md"


@pytest.fixture
def readme(checkout: Path) -> Path:
    return checkout / "README.md"


def code(
    readers: Path, output_dir: str, products: list[str], use: list[str], archives_dir: str = "archives"
) -> list[str]:
    archives = {name: {"file": it.file} for name, it in ILSVRC2012.archives.items()}
    config = {"output_dir": output_dir, "products": products, "use": use}
    found = ways_to_read(readers, {**config, "archives_dir": archives_dir, "archives": archives})
    return [
        html.unescape(it) for way in found for it in re.findall(r"<pre><code[^>]*>(.*?)</code></pre>", way.html, re.S)
    ]


def test_all_code_for_readers_is_on_the_page_where_all_products_are(readers: Path) -> None:
    wanted = re.findall(r"^```\w+\n(.*?)^```$", readers.read_text(encoding="utf-8"), re.M | re.S)
    assert len(wanted) > 10
    assert code(readers, "results", ALL, USE) == wanted


def test_paths_are_those_of_this_dataset(readers: Path) -> None:
    blocks = "".join(code(readers, "/data/imagenet", ALL, USE))
    assert "/data/imagenet/tfrecord/" in blocks
    assert "cd /data/imagenet " in blocks
    assert not re.search(r"\bresults\b", blocks)


@pytest.mark.parametrize(
    ("missing", "path"),
    [
        ("imagefolder", "imagefolder/train"),
        ("tfrecord", "results/tfrecord/"),
        ("tfrecord_index", "tfrecord_index"),
        ("archive_index", "archive_index"),
        ("bboxes", "bboxes.parquet"),
        ("multilabel", "multilabel.parquet"),
        ("tfrecord_multilabel", "tfrecord_multilabel"),
    ],
)
def test_code_for_a_product_that_is_not_made_is_left_out(missing: str, path: str, readers: Path) -> None:
    assert path in "".join(code(readers, "results", ALL, USE))
    left = code(readers, "results", [name for name in ALL if name != missing], USE)
    assert path not in "".join(left)
    assert left


def test_code_for_a_product_that_cannot_be_made_of_what_is_there_is_left_out(readers: Path, tmp_path: Path) -> None:
    for file in ("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"):
        with zipfile.ZipFile(tmp_path / file, "w") as archive:
            archive.writestr("x.JPEG", "")
    blocks = "".join(code(readers, "results", ALL, USE, str(tmp_path)))
    assert "archive_index/" not in blocks
    assert "from imagenet_prep.reading" in blocks, "which needs no index"


def test_without_a_training_set_the_code_reads_the_validation_set(readers: Path) -> None:
    blocks = "".join(code(readers, "results", ALL, ["val", "devkit"]))
    assert "imagefolder/val" in blocks
    assert "tfrecord/validation-*" in blocks
    assert not re.search(r"\btrain\b", blocks)


def test_terms_and_citation_are_the_readmes_and_link_to_nothing_in_the_checkout(readme: Path) -> None:
    assert read_section(readme.read_text(encoding="utf-8"), TERMS)
    shown = terms(readme)
    assert "Russakovsky" in shown
    assert "non-commercial" in shown
    assert all(link.startswith("https://") for link in re.findall(r'href="([^"]*)"', shown))


def test_a_comment_in_code_is_no_heading() -> None:
    text = "# One\n\n```sh\n# no heading\n```\n\nmore\n\n# Two\n\nother\n"
    assert read_section(text, "One").strip().endswith("more")
    assert read_section(text, "Three") == ""
