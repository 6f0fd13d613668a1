"""What TensorFlow Datasets reads beside the shards: `features.json`, the names of the classes, `dataset_info.json`.

The files are the JSON forms of TFDS's `feature.proto` and `dataset_info.proto`. TFDS nests the features of a record by
the slashes in their names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from imagenet_prep import atomic, versions

LABEL_NAMES = "image-class-label.labels.txt"
FEATURES = "features.json"
INFO = "dataset_info.json"

_MODULE = "tensorflow_datasets.core.features."
_CITATION = """@article{ILSVRC15,
  author = {Olga Russakovsky and Jia Deng and Hao Su and Jonathan Krause and Sanjeev Satheesh and Sean Ma and
            Zhiheng Huang and Andrej Karpathy and Aditya Khosla and Michael Bernstein and Alexander C. Berg and
            Li Fei-Fei},
  title = {{ImageNet Large Scale Visual Recognition Challenge}},
  journal = {International Journal of Computer Vision (IJCV)},
  year = {2015}, volume = {115}, number = {3}, pages = {211-252}, doi = {10.1007/s11263-015-0816-y}
}"""


def label_names(wnids: list[str], label_base: int) -> list[str]:
    """The name of every label from 0 on: the WNIDs by index, after `background` where labels begin with 1."""
    return ["background", *wnids] if label_base else wnids


def write_description(splits: list[dict[str, Any]], names: list[str], folder: Path) -> None:
    """Write the three files into the shards' folder.

    Args:
        splits: the receipts of the splits' shards (`ShardSet.complete`).
        names: the name of every label (`label_names`).
        folder: where the shards lie.
    """
    atomic.write_text(folder / LABEL_NAMES, "".join(f"{name}\n" for name in names))
    atomic.write_json(folder / FEATURES, _features(len(names)))
    atomic.write_json(
        folder / INFO,
        {
            "name": "imagenet2012",
            "version": "1.0.0",
            "description": "ILSVRC2012 (ImageNet-1k) with boxes, made by imagenet-prep from the official archives.",
            "citation": _CITATION,
            "fileFormat": "tfrecord",
            "releaseNotes": {"1.0.0": f"imagenet-prep, format version {versions.TFRECORD}"},
            "splits": [_split(split) for split in splits],
        },
    )


def _split(receipt: dict[str, Any]) -> dict[str, Any]:
    shards = receipt["files"].values()
    return {
        "name": receipt["split"],
        "filepathTemplate": "{SPLIT}-{SHARD_X_OF_Y}",
        "shardLengths": [str(shard["records"]) for shard in shards],
        "numBytes": str(sum(shard["bytes"] for shard in shards)),
    }


def _features(n_labels: int) -> dict[str, Any]:
    sides = {side: _tensor("float32", [-1]) for side in ("xmin", "ymin", "xmax", "ymax")}
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
                    "encoded": _feature(
                        "image_feature.Image",
                        {"image": {"dtype": "uint8", "encodingFormat": "jpeg", "shape": _shape([-1, -1, 3])}},
                    ),
                    "filename": _text(),
                    "format": _text(),
                    "height": _tensor("int64"),
                    "object": _nest({"bbox": _nest({"label": _tensor("int64", [-1]), **sides})}),
                    "width": _tensor("int64"),
                }
            )
        }
    )


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
