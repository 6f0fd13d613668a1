"""Scores as people read them, in a terminal and in a log. Imports are light."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagenet_prep.progress import grouped


def in_a_line(scores: Mapping[str, Any]) -> str:
    """What `<model>.json` holds, in a line: the scores that there are, and of how many images they are."""
    shares = {"top-1": scores["top1"], "top-5": scores["top5"]}
    for key, name in (("real", "ReaL"), ("multilabel", "multi-label")):
        shares[name] = scores[key] and scores[key]["accuracy"]
    told = [f"{name} {share:.2%}" for name, share in shares.items() if share is not None]
    hard = scores["imagenet_m"]
    if hard and hard["wrong"] is not None:
        told.append(f"ImageNet-M {hard['wrong']} of {hard['images']} wrong")
    return f"{', '.join(told) or 'no score'}: {images(scores)}"


def images(scores: Mapping[str, Any]) -> str:
    """Of how many images the scores are."""
    part = f"{grouped(scores['images'])} of " if scores["partial"] else ""
    return f"{part}{grouped(scores['validation_images'])} images"


def remarks(scores: Mapping[str, Any]) -> list[str]:
    """What is to be known beside the scores: how the predictions were read, and what is odd about them."""
    model = scores["model"]
    read = f"{model}: {scores['predictions']} was read as {scores['read_as']}"
    return [read, *(f"WARNING {model}: {it}" for it in scores["warnings"])]
