"""ILSVRC2012, ImageNet-1k: what image-net.org and the makers of its annotations publish.

Checksums are those of TensorFlow Datasets and torchvision, which agree; round sizes are those of ImageNet's pages.
"""

from __future__ import annotations

from imagenet_prep.datasets.dataset import Annotations, Archive, Dataset, Labels, Layout, Split

# It wants an account, and agreement to its terms, before it hands out the images.
_SITE = "https://image-net.org/data/ILSVRC/2012"

_ARCHIVES = (
    Archive(
        "train",
        "ILSVRC2012_img_train.tar",
        f"{_SITE}/ILSVRC2012_img_train.tar",
        md5="1d675b47d978889d74fa0da5fadfb00e",
        bytes=147_897_477_120,
        layout=Layout.CLASS_TARS,
    ),
    Archive(
        "train_t3",
        "ILSVRC2012_img_train_t3.tar",
        f"{_SITE}/ILSVRC2012_img_train_t3.tar",
        md5="ccaf1013018ac1037801578038d370da",
        about=728_000_000,
        layout=Layout.CLASS_TARS,
    ),
    Archive(
        "val",
        "ILSVRC2012_img_val.tar",
        f"{_SITE}/ILSVRC2012_img_val.tar",
        md5="29b22e2961454d5413ddabcf34fc5622",
        bytes=6_744_924_160,
        layout=Layout.FLAT,
    ),
    Archive(
        "test",
        "ILSVRC2012_img_test_v10102019.tar",
        f"{_SITE}/ILSVRC2012_img_test_v10102019.tar",
        md5="e1b8681fff3d63731c599df9b4b6fc02",
        about=13_000_000_000,
        layout=Layout.FLAT,
    ),
    Archive(
        "devkit",
        "ILSVRC2012_devkit_t12.tar.gz",
        f"{_SITE}/ILSVRC2012_devkit_t12.tar.gz",
        md5="fa75699e90414af021442c21a62c3abf",
        # Browsers may leave it as .tar.
        unpacked_sha256="a6efe01fb8428e6ba689f4ae47250586ce7b1e342dd38c7bb37c6ac5f5e386b3",
        bytes=2_568_145,
    ),
    Archive(
        "bbox_train",
        "ILSVRC2012_bbox_train_v2.tar.gz",
        f"{_SITE}/ILSVRC2012_bbox_train_v2.tar.gz",
        md5="9271167e2176350e65cfe4e546f14b17",
        about=20_000_000,
    ),
    Archive(
        "bbox_val",
        "ILSVRC2012_bbox_val_v3.tgz",
        f"{_SITE}/ILSVRC2012_bbox_val_v3.tgz",
        md5="f4cd18b5ea29fe6bbea62ec9c20d80f0",
        about=2_200_000,
    ),
    Archive(
        "multilabel",
        "human_accuracy_v3.0.0.json",
        "https://storage.googleapis.com/brain-car-datasets/imagenet-mistakes/human_accuracy_v3.0.0.json",
        sha256="d5b2b6111fc9efea16aaebd21bc5a401d16ad18285d3fd99635d8b32ebdb6287",
        bytes=200_417_830,
    ),
    Archive(
        "real_labels",
        "real.json",
        "https://raw.githubusercontent.com/google-research/reassessed-imagenet/master/real.json",
        sha256="d83e9bff374c631aae8439eb064c7019acc56e1b3bc3f56b8380c2a710b0220b",
        bytes=388_478,
    ),
)

_SPLITS = (
    Split(
        "train",
        archive="train",
        filename=r"{wnid}_\d{{1,12}}\.JPEG",
        labels=Labels.LAYOUT,
        boxes="bbox_train",
        folder="train",
        in_shards=True,
        images=1_281_167,
        classes=1000,
    ),
    Split(
        "validation",
        archive="val",
        filename=r"ILSVRC2012_val_\d{{8}}\.JPEG",
        labels=Labels.GROUND_TRUTH,
        boxes="bbox_val",
        folder="val",
        in_shards=True,
        images=50_000,
        classes=1000,
    ),
    Split(
        "test",
        archive="test",
        filename=r"ILSVRC2012_test_\d{{8}}\.JPEG",
        labels=Labels.NONE,
        boxes=None,
        folder="test",
        in_shards=False,
        images=100_000,
        classes=0,
    ),
    # The fine-grained task's 120 breeds of dogs: about so many images.
    Split(
        "train_t3",
        archive="train_t3",
        filename=r"{wnid}_\d{{1,12}}\.JPEG",
        labels=Labels.LAYOUT,
        boxes=None,
        folder="train_t3",
        in_shards=False,
        images=20_600,
        classes=120,
    ),
)

ILSVRC2012 = Dataset(
    name="ilsvrc2012",
    title="ImageNet ILSVRC2012",
    origin="ImageNet's classification challenge of 2012",
    archives={archive.name: archive for archive in _ARCHIVES},
    splits={split.name: split for split in _SPLITS},
    devkit="devkit",
    multilabel=Annotations("multilabel", split="validation", images=20_000, hard=68),
    real_labels="real_labels",
    use=("train", "val", "devkit", "bbox_train", "bbox_val", "multilabel", "real_labels"),
)
