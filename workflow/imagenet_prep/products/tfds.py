"""What TensorFlow Datasets reads beside the shards: `features.json`, the names of the classes, `dataset_info.json`.

The files are the JSON forms of TFDS's `feature.proto` and `dataset_info.proto`. TFDS nests the features of a record by
the slashes in their names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imagenet_prep import atomic
from imagenet_prep.datasets.dataset import BOX_SIDES

LABEL_NAMES = "image-class-label.labels.txt"
FEATURES = "features.json"
INFO = "dataset_info.json"
DESCRIPTION = (FEATURES, INFO, LABEL_NAMES)
"""The files beside the shards of the training and the validation set."""

JUDGED = ("correct_multi_labels", "unclear_multi_labels", "wrong_multi_labels")
"""The features of the multi-label set that hold labels as people judged them."""

MULTILABEL_NAMES = tuple(f"{feature}.labels.txt" for feature in ("original_label", *JUDGED))

MULTILABEL_DESCRIPTION = (FEATURES, INFO, *MULTILABEL_NAMES)
"""The files beside the shards of the multi-label set."""

_MODULE = "tensorflow_datasets.core.features."
_CITATION = """@article{ILSVRC15,
  author = {Olga Russakovsky and Jia Deng and Hao Su and Jonathan Krause and Sanjeev Satheesh and Sean Ma and
            Zhiheng Huang and Andrej Karpathy and Aditya Khosla and Michael Bernstein and Alexander C. Berg and
            Li Fei-Fei},
  title = {{ImageNet Large Scale Visual Recognition Challenge}},
  journal = {International Journal of Computer Vision (IJCV)},
  year = {2015}, volume = {115}, number = {3}, pages = {211-252}, doi = {10.1007/s11263-015-0816-y}
}"""
_BAGEL = """@inproceedings{vasudevan2022when,
  author = {Vijay Vasudevan and Benjamin Caine and Raphael Gontijo-Lopes and Sara Fridovich-Keil and Rebecca Roelofs},
  title = {When does dough become a bagel? Analyzing the remaining mistakes on {ImageNet}},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2022}
}"""


IMAGENET = "imagenet2012"
"""The name of the data set in TFDS, which is also in the names of TFDS's own files."""

TFRECORDS = ("tfrecord", "{SPLIT}-{SHARD_X_OF_Y}")
ARRAY_RECORDS = ("array_record", "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}")
"""File formats by TFDS's names, each with the template of its file names."""


def label_names(wnids: list[str], label_base: int) -> list[str]:
    """The name of every label from 0 on: the WNIDs by index, after `background` where labels begin with 1."""
    return ["background", *wnids] if label_base else wnids


def describe_imagenet(
    splits: list[dict[str, Any]], names: list[str], folder: Path, form: tuple[str, str] = TFRECORDS
) -> None:
    """Write the files beside the shards of the training and the validation set.

    Args:
        splits: the receipts of the splits' shards (`shard_set.files_by_split`).
        names: the name of every label (`label_names`).
        folder: the folder of the shards.
        form: the file format of the shards and the template of their names.
    """
    text = "ILSVRC2012 (ImageNet-1k) with bounding boxes, made by imagenet-prep from the official archives."
    _describe(folder, IMAGENET, "1.0.0", text, [_CITATION], _imagenet_features(len(names)), splits, form)
    atomic.write_text(folder / LABEL_NAMES, "".join(f"{name}\n" for name in names))


def describe_multilabel(splits: list[dict[str, Any]], names: list[str], folder: Path) -> None:
    """Write the files beside the shards of the multi-label set, with the features of TFDS's imagenet2012_multilabel."""
    text = "Multi-label annotations of ILSVRC2012's validation images, made by imagenet-prep."
    features = _multilabel_features(len(names))
    _describe(folder, "imagenet2012_multilabel", "3.0.0", text, [_CITATION, _BAGEL], features, splits)
    for name in MULTILABEL_NAMES:
        atomic.write_text(folder / name, "".join(f"{name}\n" for name in names))


def _describe(
    folder: Path,
    name: str,
    version: str,
    description: str,
    citations: list[str],
    features: dict[str, Any],
    splits: list[dict[str, Any]],
    form: tuple[str, str] = TFRECORDS,
) -> None:
    atomic.write_json(folder / FEATURES, features)
    content = {
        "name": name,
        "version": version,
        "description": description,
        "citation": "\n".join(citations),
        "fileFormat": form[0],
        "splits": [_split(split, form[1]) for split in splits if split["files"]],
    }
    atomic.write_json(folder / INFO, content)


def _split(receipt: dict[str, Any], template: str) -> dict[str, Any]:
    shards = receipt["files"].values()
    return {
        "name": receipt["split"],
        "filepathTemplate": template,
        "shardLengths": [str(shard["records"]) for shard in shards],
        "numBytes": str(sum(shard["bytes"] for shard in shards)),
    }


def _imagenet_features(n_labels: int) -> dict[str, Any]:
    sides = {side: _tensor("float32", [-1]) for side in BOX_SIDES}
    return _nest(
        {
            "image": _nest(
                {
                    "channels": _tensor("int64"),
                    "class": _nest(
                        {
                            "label": _feature(
                                "class_label_feature.ClassLabel", {"classLabel": {"numClasses": str(n_labels)}}
                            ),
                            "synset": _text(),
                            "text": _text(),
                        }
                    ),
                    "colorspace": _text(),
                    "encoded": _image(),
                    "filename": _text(),
                    "format": _text(),
                    "height": _tensor("int64"),
                    "object": _nest({"bbox": _nest({"label": _tensor("int64", [-1]), **sides})}),
                    "width": _tensor("int64"),
                }
            )
        }
    )


def _multilabel_features(n_labels: int) -> dict[str, Any]:
    label = _feature("class_label_feature.ClassLabel", {"classLabel": {"numClasses": str(n_labels)}})
    labels = _feature("sequence_feature.Sequence", {"sequence": {"feature": label, "length": "-1"}})
    return _nest(
        {
            "correct_multi_labels": labels,
            "file_name": _text(),
            "image": _image(),
            "is_problematic": _tensor("bool"),
            "original_label": label,
            "unclear_multi_labels": labels,
            "wrong_multi_labels": labels,
        }
    )


def _image() -> dict[str, Any]:
    content = {"dtype": "uint8", "encodingFormat": "jpeg", "shape": _shape([-1, -1, 3])}
    return _feature("image_feature.Image", {"image": content})


def _feature(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"pythonClassName": _MODULE + kind, **content}


def _nest(features: dict[str, Any]) -> dict[str, Any]:
    return _feature("features_dict.FeaturesDict", {"featuresDict": {"features": features}})


def _text() -> dict[str, Any]:
    return _feature("text_feature.Text", {"text": {}})


def _tensor(dtype: str, shape: list[int] | None = None) -> dict[str, Any]:
    kind = "tensor_feature.Tensor" if shape else "scalar.Scalar"
    return _feature(kind, {"tensor": {"dtype": dtype, "encoding": "none", "shape": _shape(shape or [])}})


def _shape(dimensions: list[int]) -> dict[str, Any]:
    return {"dimensions": [str(dimension) for dimension in dimensions]} if dimensions else {}
