"""The data set that a configuration is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.datasets.synthetic import synthetic


def dataset_of(config: Mapping[str, Any]) -> Dataset:
    """The declaration of a configuration's data set; the configuration need not be complete."""
    if config.get("synthetic"):
        return synthetic(config["synthetic"])
    return ILSVRC2012
