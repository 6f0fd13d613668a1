"""Files that a workflow makes and reads again: one that is missing or damaged comes back with the next run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from imagenet_prep.errors import PrepError

AGAIN = "Delete it and run the same command again: it is made anew"
"""What to do about a damaged one."""

MISSING = "Run the same command again: it is made anew"
"""What to do about one that is not there."""


@contextmanager
def reading_again(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name the file, and what to do, where the block finds that it is missing or holds something else.

    Raises:
        PrepError: the block raised `FileNotFoundError`, or `KeyError` or `ValueError` of what stands in the file.
    """
    try:
        yield
    except FileNotFoundError:
        raise PrepError(path, "the file is missing", MISSING) from None
    except (KeyError, ValueError) as error:
        raise PrepError(path, f"the file is damaged ({str(error).strip().splitlines()[0]})", AGAIN) from error
