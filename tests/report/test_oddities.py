"""What is said of odd images, held against what Pillow does with them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageOps

from imagenet_prep.engine.shard_writer import Reencoding
from imagenet_prep.report.oddities import Encoding, marks
from imagenet_prep.report.survey import Picture

PICTURE = Picture("train", "a.JPEG", None, "a.tar", 0, 10, 3, 2, "JPEG", "RGB")
NOTHING = Encoding(Reencoding(), [])


@pytest.mark.parametrize("orientation", range(2, 9))
def test_how_an_image_is_to_be_turned_is_what_pillow_does(orientation: int) -> None:
    (told,) = marks(PICTURE, orientation, NOTHING)
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    done = np.fliplr(pixels) if "mirrored" in told else pixels
    if "180" in told:
        done = np.rot90(done, 2)
    if "90" in told:
        done = np.rot90(done, 1 if told.endswith("to the left") else -1)
    assert np.array_equal(done, np.asarray(ImageOps.exif_transpose(image)))


def test_an_image_that_lies_as_it_should_has_no_mark() -> None:
    assert marks(PICTURE, 1, NOTHING) == []


@pytest.mark.parametrize(
    ("change", "reencoding", "again"),
    [
        ({"colorspace": "CMYK"}, Reencoding(), True),
        ({"colorspace": "CMYK"}, Reencoding(cmyk=False), False),
        ({"format": "PNG"}, Reencoding(cmyk=False), True),
        ({"format": "PNG"}, Reencoding(png=False), False),
        ({"format": "PNG", "split": "test"}, Reencoding(), False),
    ],
)
def test_images_that_are_encoded_again_are_marked(change: dict[str, str], reencoding: Reencoding, again: bool) -> None:
    told = marks(PICTURE._replace(**change), 1, Encoding(reencoding, ["train", "validation"]))
    assert ("encoded again in shards" in told) == again
