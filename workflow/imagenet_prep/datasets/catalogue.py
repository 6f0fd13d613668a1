"""All data sets, by name, and that of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.datasets.synthetic import synthetic

DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in (ILSVRC2012,)}


def dataset_of(config: Mapping[str, Any]) -> Dataset:
    """The data set that a configuration, complete or not, is about."""
    if config.get("synthetic"):
        return synthetic(config["synthetic"])
    return ILSVRC2012
