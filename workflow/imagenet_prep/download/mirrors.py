"""A download from the first of several addresses that gives it: whole and right, or not at all."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

from imagenet_prep import atomic
from imagenet_prep.download import sources
from imagenet_prep.download.checksum import FollowingChecksum
from imagenet_prep.download.failures import Failure
from imagenet_prep.download.limits import Limits
from imagenet_prep.download.partial import Partial
from imagenet_prep.download.sources import Source
from imagenet_prep.download.transfer import Transfer
from imagenet_prep.download.wanted import Wanted
from imagenet_prep.errors import PrepError

log = logging.getLogger(__name__)


class NotHad(Exception):
    """No address gave the file; `failures` are the addresses, as they may be printed, with what each one said."""

    def __init__(self, failures: list[tuple[str, Failure]], kept: int) -> None:
        super().__init__("; ".join(f"{url}: {failure.answer}" for url, failure in failures))
        self.failures = failures
        self.kept = kept


def download(urls: Sequence[str], place: Path, connections: int, wanted: Wanted, limits: Limits) -> None:
    """Download a file to `place`, which appears there when it is whole and its checksum right.

    The addresses are tried in order, beginning with the one of which a part is there. That part lies beside `place` as
    `<name>.part`, with a journal `<name>.part.json`, until the download is finished, by whichever run.

    Args:
        urls: http and https addresses.
        place: where the file goes; its folder exists and is writable.
        connections: how many fetch parts of it side by side.
        wanted: what is known of the file.
        limits: of time and size.

    Raises:
        NotHad: no address gave it. What has come of it stays.
        PrepError: the file that came has another checksum than wanted, and was put aside; another run is downloading
            it; or the tokens in the environment cannot be understood.
        OSError: the file cannot be written.
    """
    tokens = sources.tokens(os.environ)
    with Partial(place, wanted.nbytes) as partial:
        checksum, source = _checksum_of_complete(partial, wanted), "an earlier run"
        if checksum is None:
            failures: list[tuple[str, Failure]] = []
            begun = partial.entry.url if partial.entry else None
            for url in sorted(urls, key=lambda url: sources.shown(url) != begun):
                source = sources.shown(url)
                try:
                    checksum = Transfer(Source.parse(url), tokens, partial, connections, wanted, limits).run()
                    break
                except Failure as failure:
                    failures.append((source, failure))
                    log.info("%s: %s", source, failure.answer)
            else:
                raise NotHad(failures, partial.kept)
        if wanted.checksum is not None and checksum != wanted.checksum.lower():
            raise _put_aside(partial, source, wanted, str(checksum))
        partial.finish(place)


def _checksum_of_complete(partial: Partial, wanted: Wanted) -> str | None:
    """The checksum of a file of which an earlier run has received every byte; None where something is missing."""
    length = partial.kept
    if not length or partial.entry is None or length != partial.entry.identity.length:
        return None
    if wanted.checksum is None:
        return ""
    return FollowingChecksum(wanted.algorithm, partial.descriptor).hexdigest(length)


def _put_aside(partial: Partial, source: str, wanted: Wanted, checksum: str) -> PrepError:
    place = partial.place
    bad = place.with_name(f"{place.name}.bad-{checksum[:8]}")
    reason = bad.with_name(f"{bad.name}.txt")
    problem = f"what came from {source} has the {wanted.algorithm} {checksum} where {wanted.checksum} is expected"
    when = time.strftime("%Y-%m-%d %H:%M:%S %z")
    atomic.write_text(
        reason, f"{when}: {problem}.\n{bad.name} is kept for a look only; nothing uses it. Delete both.\n"
    )
    partial.finish(bad)
    return PrepError(
        place,
        f"{problem}: it is damaged or another file, and was kept aside as {bad.name}",
        "Run the same command again to download it anew, or give another url in the configuration",
    )
