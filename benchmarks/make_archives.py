"""Makes a set of ILSVRC2012 archives to measure with: in sizes like the real ones, or with as many images, but tiny.

The images are a few hundred JPEGs, drawn once and told apart by a comment segment with their file name. Devkit and
multi-label file come from the synthetic package; the classes are the real ones, since other programs that are measured
know no others. There are no odd images and no troubles of boxes: the tests look at those.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import math
import random
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
from boxes import annotations
from PIL import Image

from imagenet_prep.datasets.ilsvrc2012_classes import classes as real_classes
from imagenet_prep.synthetic import Settings, World, devkit_archive, human_labels, plan
from imagenet_prep.synthetic.model import Synset

FILES = {
    "train": "ILSVRC2012_img_train.tar",
    "val": "ILSVRC2012_img_val.tar",
    "devkit": "ILSVRC2012_devkit_t12.tar.gz",
    "bbox_train": "ILSVRC2012_bbox_train_v2.tar.gz",
    "bbox_val": "ILSVRC2012_bbox_val_v3.tgz",
    "multilabel": "human_accuracy_v3.0.0.json",
    "real_labels": "real.json",
}

CLASSES = 1000
IMAGES = 1281167
VALIDATION_IMAGES = 50000
BYTES_AN_IMAGE = 110_000
XML_SHARE = 544546 / IMAGES

_TIME = 1_339_632_000
_RECORD = 10240  # bytes to a multiple of which GNU tar fills an archive up
_BLOCK = 512
_SIZE_SPREAD = 0.55  # of the logarithm of the size of an image
_POOL = 160
_SETTINGS = {"train_t3_classes": 1, "train_t3_images_per_class": 1, "test_images": 1, "max_side": 64}


@dataclass(frozen=True)
class Shape:
    """What a set is to hold.

    Attributes:
        counts: training images by WNID, for the classes that the train archive has.
        validation: number of validation images, the same of each class.
        tiny: images of a few hundred bytes in place of about 110 kB.
        multilabel_bytes: the multi-label file is filled up to about this size; 0 leaves it as it comes.
    """

    counts: dict[str, int]
    validation: int
    tiny: bool
    multilabel_bytes: int = 0


def synsets(images: int) -> tuple[Synset, ...]:
    """The synsets of a set with about so many training images, in proportions as the real one's."""
    # The IDs of the classes are the first ones. What is above them is made up: no program that is measured asks for it.
    real = {it.ilsvrc2012_id: it for it in real_classes()}
    world = plan(Settings(1, CLASSES, 1, 1, **_SETTINGS))
    known = tuple(
        replace(synset, wnid=it.wnid, words=it.words, gloss="", num_train_images=it.num_train_images)
        if (it := real.get(synset.ilsvrc2012_id))
        else synset
        for synset in world.synsets
    )
    if images == IMAGES:
        return known
    share = images / IMAGES
    return tuple(
        replace(synset, num_train_images=max(1, round(share * synset.num_train_images)) if not synset.children else 0)
        for synset in known
    )


def imagenet_like(nbytes: int) -> Shape:
    """A set of about so many bytes: fewer classes than the real one, of about a tenth of the real number of images.

    Images a class, shards and bytes an image decide what a stage costs; a thousand classes of ten images would make the
    unpacking of class archives look slower than it is.
    """
    images = max(16, round(nbytes / 1.04 / BYTES_AN_IMAGE))
    classes = max(4, min(CLASSES, round(images / 130)))
    wnids = sorted(synset.wnid for synset in synsets(IMAGES) if not synset.children)
    chosen = wnids[:: len(wnids) // classes][:classes]
    base, more = divmod(images, classes)
    counts = {wnid: base + (place < more) for place, wnid in enumerate(chosen)}
    return Shape(counts, classes * max(1, round(images / IMAGES * VALIDATION_IMAGES / classes)), tiny=False)


def full_cardinality(share: float) -> Shape:
    """All the classes of the real set with this share of its images, but tiny ones; 1 gives the real numbers."""
    counts = {it.wnid: it.num_train_images for it in synsets(round(share * IMAGES)) if not it.children}
    validation = CLASSES * max(1, round(share * VALIDATION_IMAGES / CLASSES))
    return Shape(counts, validation, tiny=True, multilabel_bytes=round(share * 200_417_830))


def make_archives(folder: Path, shape: Shape) -> None:
    """Write all the archives of a set into a folder, under the names of the real ones."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = Pictures(shape.tiny)
    world = _world(shape)
    labels = [label.wnid for label in world.validation_labels]
    names = [f"ILSVRC2012_val_{number:08d}" for number in range(1, shape.validation + 1)]
    with open(folder / FILES["train"], "wb", buffering=4 << 20) as file:
        _write_train(file, shape.counts, pictures)
    with open(folder / FILES["val"], "wb", buffering=4 << 20) as file:
        _write_images(file, names, pictures)
    train_names = [(wnid, stem) for wnid, count in sorted(shape.counts.items()) for stem in _stems(wnid, count)]
    _write_xml(folder / FILES["bbox_train"], _spread(train_names, XML_SHARE), "train")
    _write_xml(folder / FILES["bbox_val"], list(zip(labels, names, strict=True)), "validation")
    with gzip.GzipFile(folder / FILES["devkit"], "wb", mtime=0) as packed:
        for name, content in devkit_archive.members(world):
            packed.write(_member(name, content) if content is not None else b"")
        packed.write(bytes(2 * _BLOCK))
    _write_multilabel(folder / FILES["multilabel"], world, shape.multilabel_bytes)
    (folder / FILES["real_labels"]).write_text(json.dumps(world.real_labels()), encoding="ascii")


class Pictures:
    """JPEG files of the wanted sizes; any number of different ones out of a pool.

    Args:
        tiny: of a few hundred bytes.
    """

    def __init__(self, tiny: bool) -> None:
        self._random = random.Random(1)
        if tiny:
            self._pool = [_jpeg(np.full((8, 8), shade, np.uint8), 30) for shade in range(0, 256, 8)]
            return
        noise = np.random.default_rng(1)
        coarse = noise.integers(0, 256, (120, 160, 3), np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize((2400, 1800), Image.Resampling.BICUBIC), np.int16)
        scene = np.clip(smooth + noise.normal(0, 14, smooth.shape), 0, 255).astype(np.uint8)
        bytes_a_pixel = len(_jpeg(scene[:375, :500], 90)) / (375 * 500)
        spread = np.exp(noise.normal(-(_SIZE_SPREAD**2) / 2, _SIZE_SPREAD, _POOL))
        spread /= spread.mean()
        self._pool = []
        for factor in spread:
            height = min(1800, max(60, round(math.sqrt(factor * BYTES_AN_IMAGE / bytes_a_pixel * 3 / 4))))
            width = height * 4 // 3
            top, left = noise.integers(0, 1801 - height), noise.integers(0, 2401 - width)
            self._pool.append(_jpeg(scene[top : top + height, left : left + width], 90))

    def draw(self, name: str) -> bytes:
        """A JPEG that no other name has."""
        picture = self._random.choice(self._pool)
        comment = name.encode("ascii")
        return b"%b\xff\xfe%b%b%b" % (picture[:2], (len(comment) + 2).to_bytes(2, "big"), comment, picture[2:])


def _jpeg(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], quality: int) -> bytes:
    output = io.BytesIO()
    Image.fromarray(pixels).save(output, "JPEG", quality=quality)
    return output.getvalue()


def _world(shape: Shape) -> World:
    """A planned world with the classes, counts and labels of this set, for the writers of the synthetic package."""
    known = synsets(IMAGES)
    per_class = shape.validation // len(shape.counts)
    world = plan(Settings(1, CLASSES, 1, 1, **_SETTINGS))
    classes = {
        synset.wnid: replace(world.classes[0], ilsvrc2012_id=synset.ilsvrc2012_id, wnid=synset.wnid)
        for synset in known
        if not synset.children
    }
    ordered = [replace(classes[wnid], index=index) for index, wnid in enumerate(sorted(classes))]
    labels = [label for label in ordered if label.wnid in shape.counts for _ in range(per_class)]
    random.Random(2).shuffle(labels)
    return replace(
        world,
        synsets=tuple(replace(synset, num_train_images=shape.counts.get(synset.wnid, 0)) for synset in known),
        classes=tuple(ordered),
        validation_labels=tuple(labels),
    )


def _stems(wnid: str, count: int) -> list[str]:
    """File names without their ending; the numbers have gaps, as the real ones do."""
    return sorted(f"{wnid}_{number * 7 + 3}" for number in range(count))


def _spread(names: Sequence[tuple[str, str]], share: float) -> list[tuple[str, str]]:
    wanted = round(share * len(names))
    return [names[place * len(names) // wanted] for place in range(wanted)]


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = size, _TIME
    return info.tobuf(tarfile.GNU_FORMAT)


def _member(name: str, content: bytes) -> bytes:
    return _header(name, len(content)) + content + bytes(-len(content) % _BLOCK)


def _finish(file: IO[bytes], start: int) -> None:
    size = file.tell() - start + 2 * _BLOCK
    file.write(bytes(2 * _BLOCK + -size % _RECORD))


def _write_train(file: IO[bytes], counts: dict[str, int], pictures: Pictures) -> None:
    for wnid, count in sorted(counts.items()):
        at = file.tell()
        file.write(bytes(_BLOCK))
        _write_images(file, _stems(wnid, count), pictures)
        end = file.tell()
        file.seek(at)
        file.write(_header(f"{wnid}.tar", end - at - _BLOCK))
        file.seek(end)
    _finish(file, 0)


def _write_images(file: IO[bytes], stems: Sequence[str], pictures: Pictures) -> None:
    start = file.tell()
    for stem in stems:
        file.write(_member(f"{stem}.JPEG", pictures.draw(stem)))
    _finish(file, start)


def _write_xml(path: Path, names: Sequence[tuple[str, str]], split: str) -> None:
    with gzip.GzipFile(path, "wb", compresslevel=1, mtime=0) as packed:
        members = (_member(name, content) for name, content in annotations(names, split))
        while block := b"".join(islice(members, 1000)):
            packed.write(block)
        packed.write(bytes(2 * _BLOCK))


def _write_multilabel(path: Path, world: World, nbytes: int) -> None:
    """The multi-label file; what fills it up is predictions of models, as in the real one, which a reader skips."""
    text = io.StringIO()
    human_labels.write_multilabel(world.multilabels(), text)
    content = text.getvalue()
    start = '{"model_predictions": {'
    model_end = content.index(', "model_1"')
    model = content[len(start) + len('"model_0": ') : model_end]
    with open(path, "w", encoding="ascii") as file:
        file.write(start)
        for number in range(max(0, (nbytes - len(content)) // len(model))):
            file.write(f'"more_{number}": {model}, ')
        file.write(content.removeprefix(start))


def main() -> None:
    """Make a set in the folder given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bytes", type=float, default=1.5e9, help="of an ImageNet-like set (default 1.5e9)")
    parser.add_argument("--share", type=float, help="of the real number of images, but tiny ones: 1 for all")
    arguments = parser.parse_args()
    shape = full_cardinality(arguments.share) if arguments.share else imagenet_like(int(arguments.bytes))
    make_archives(arguments.folder, shape)


if __name__ == "__main__":
    main()
