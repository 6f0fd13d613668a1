"""A download from the first of several addresses that gives it: whole and right, or not at all."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path

from imagenet_prep import atomic
from imagenet_prep.download import sources
from imagenet_prep.download.failures import Failure, Refused
from imagenet_prep.download.identity import Wanted
from imagenet_prep.download.limits import Limits
from imagenet_prep.download.partial import Partial, bad_path_of
from imagenet_prep.download.sources import Source
from imagenet_prep.download.transfer import Transfer
from imagenet_prep.formats.stream import Stream
from imagenet_prep.progress import Progress

log = logging.getLogger(__name__)

_AGAIN = "Give another url in the configuration, or run the same command again to download it anew"


class NotHad(Exception):
    """No address gave the file; `failures` are the addresses, as they may be printed, with what each one said."""

    def __init__(self, failures: list[tuple[str, Failure]], kept: int) -> None:
        super().__init__("; ".join(f"{url}: {failure.answer}" for url, failure in failures))
        self.failures = failures
        self.kept = kept


def download(urls: Sequence[str], place: Path, connections: int, wanted: Wanted, limits: Limits) -> None:
    """Download a file to `place`, which appears there when it is whole and its checksum right.

    The addresses are tried in order, beginning with the one of which a part is there. That part lies beside `place` as
    `<name>.part`, with a journal `<name>.part.json`, until the download is finished, by whichever run. A file with
    another checksum than wanted is kept aside, and the next address is tried.

    Args:
        urls: http and https addresses.
        place: where the file goes; its folder exists and is writable.
        connections: how many fetch parts of it side by side.
        wanted: what is known of the file.
        limits: of time and size.

    Raises:
        NotHad: no address gave it. What has come of it stays.
        PrepError: another run is downloading it, or the tokens in the environment cannot be understood.
        OSError: the file cannot be written.
    """
    mirrors = _Mirrors(urls, connections, wanted, limits)
    while True:
        with Partial(place, wanted) as partial:
            url = mirrors.complete(partial)
            checksum = _checksum(partial, wanted.algorithm) if wanted.checksum is not None else None
            if checksum == wanted.checksum:
                partial.finish(place)
                return
            mirrors.note_wrong(url, partial, checksum)


class _Mirrors:
    """The addresses that are still to be asked, and what the others said."""

    def __init__(self, urls: Sequence[str], connections: int, wanted: Wanted, limits: Limits) -> None:
        self._left = list(urls)
        self._anew: set[str] = set()
        self._failures: list[tuple[str, Failure]] = []
        self._tokens = sources.tokens(os.environ)
        self._connections = connections
        self._wanted = wanted
        self._limits = limits

    def complete(self, partial: Partial) -> str | None:
        """Complete the file from the next address that can; return it, or None where an earlier run had done so."""
        if partial.is_complete:
            return None
        begun = partial.journal.url if partial.journal else None
        self._left.sort(key=lambda url: sources.shown(url) != begun)
        while self._left:
            url = self._left.pop(0)
            try:
                source = Source.parse(url)
                Transfer(source, self._tokens, partial, self._connections, self._wanted, self._limits).run()
                return url
            except Failure as failure:
                self._note(url, failure)
        raise NotHad(self._failures, partial.kept)

    def note_wrong(self, url: str | None, partial: Partial, checksum: str | None) -> None:
        """Keep a file aside that is another than the one wanted, for a look; a mixture is worth none.

        Whoever sent all of it is not asked again; whoever ended a mixture is asked for all of it, once.
        """
        source = sources.shown(url) if url else "an earlier run"
        is_mixed = partial.journal is not None and partial.journal.is_mixed
        problem = f"what came has the {self._wanted.algorithm} {checksum} where {self._wanted.checksum} is expected"
        if is_mixed:
            partial.forget()
            failure = Refused(f"{problem}: it was put together from parts that do not belong to one file", _AGAIN)
        else:
            failure = _put_aside(partial, source, problem, str(checksum))
        if url is None or (is_mixed and url not in self._anew):
            log.info("%s: %s. All of it is fetched anew", source, failure.answer)
            if url:
                self._anew.add(url)
                self._left.insert(0, url)
        else:
            self._note(url, failure)

    def _note(self, url: str, failure: Failure) -> None:
        self._failures.append((sources.shown(url), failure))
        log.info("%s: %s", *self._failures[-1])


def _checksum(partial: Partial, algorithm: str) -> str:
    """Read a whole file for its checksum, which has to be right before the file gets its name."""
    with open(partial.path, "rb", buffering=0) as file:
        progress = Progress(f"verifying {partial.place.name}", os.fstat(file.fileno()).st_size)
        with Stream(file, algorithm, progress.reach) as stream:
            stream.drain()
            return stream.hexdigest()


def _put_aside(partial: Partial, source: str, problem: str, checksum: str) -> Refused:
    bad = bad_path_of(partial.place, checksum)
    when = time.strftime("%Y-%m-%d %H:%M:%S %z")
    atomic.write_text(
        bad.with_name(f"{bad.name}.txt"),
        f"{when}, {source}: {problem}.\n{bad.name} is kept for a look only; nothing uses it. Delete both.\n",
    )
    partial.finish(bad)
    return Refused(f"{problem}: it is damaged or another file, and was kept aside as {bad.name}", _AGAIN)
