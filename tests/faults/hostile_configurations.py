"""Configurations as an enemy would write them: anything that YAML can say, anywhere in the official one.

A strategy of hypothesis, which makes as many as one likes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from configuration.official import OFFICIAL as SHIPPED
from imagenet_prep.configuration import complete


def _paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = (
        [found for key, below in value.items() for found in _paths(below, (*path, key))]
        if isinstance(value, dict)
        else []
    )
    return [path, *inner] if path else inner


def _with(config: Any, path: tuple[str, ...], value: Any) -> Any:
    """The configuration with another value; as it is where another value of it has done away with the place."""
    key, *below = path
    if not isinstance(config, dict) or (below and key not in config):
        return config
    return {**config, key: _with(config[key], tuple(below), value) if below else value}


OFFICIAL = complete(SHIPPED, Path())
"""With every key."""

_WORDS = [
    "",
    ".",
    "..",
    "/",
    "a\0b",
    "a\nb",
    "\ud800",
    "x" * 5000,
    "~",
    "n01440764",
    "train",
    "link",
    "s3://",
    "file://h/x",
    "gs://\0",
    "http://[",
    "./../",
    "/dev/zero",
    "/dev/null",
    "/proc/self/mem",
]
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(_WORDS)
    | st.text(max_size=8)
    | st.binary(max_size=4)
    | st.dates()
    | st.just(10**4000)
)
_YAML_KEYS = (
    st.sampled_from(["file", "url", "md5", "output_dir", "use"])
    | st.text(max_size=4)
    | st.integers()
    | st.none()
    | st.dates()
    | st.binary(max_size=2)
)
_YAML = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_YAML_KEYS, inner, max_size=3), max_leaves=6
)


@st.composite
def configurations(draw: st.DrawFn) -> Any:
    """The official configuration with anything that YAML can say in place of some of its values, and other keys."""
    config: Any = OFFICIAL
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(_paths(OFFICIAL)))
        config = _with(config, path, draw(_YAML))
    return {**config, draw(_YAML_KEYS): draw(_YAML)} if draw(st.integers(0, 4)) == 4 else config
