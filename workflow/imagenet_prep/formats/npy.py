"""A file of one array, as `numpy.save` writes it, read where it lies."""

from __future__ import annotations

import os
from tokenize import TokenError
from typing import Any

import numpy as np


def mapped(path: str | os.PathLike[str]) -> Any:
    """The array, or archive of arrays, in a file; nothing is unpickled.

    Raises:
        ValueError: it is none. NumPy reads a header as Python, and raises whatever Python does.
    """
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (TypeError, EOFError, SyntaxError, ArithmeticError, MemoryError, RecursionError, TokenError) as error:
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from error
