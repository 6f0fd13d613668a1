"""Publishes to a store: compares what is there, sends and verifies what is not, and writes the manifest last."""

from __future__ import annotations

import functools
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from imagenet_prep.errors import PrepError
from imagenet_prep.progress import Progress
from imagenet_prep.publish.address import Address
from imagenet_prep.publish.digests import Digests, digest
from imagenet_prep.publish.items import Item, items_of
from imagenet_prep.publish.manifest import MANIFEST, UNFINISHED, encoded, manifest_of, names_in, unfinished_of
from imagenet_prep.publish.retries import Retries
from imagenet_prep.publish.store import Found, Store
from imagenet_prep.publish.store_errors import Damaged, Failure
from imagenet_prep.publish.stores import open_store
from imagenet_prep.publish.threads import each

UPLOADS = 8  # at a time: each takes some 40 MB of memory, and so many fill most lines
_TICK = 0.5  # seconds between two looks at the progress

Result = TypeVar("Result")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What a publication did.

    Attributes:
        manifest: what is published now.
        sent: names of the files that were sent.
        removed: names of the files that were taken away, since an earlier publication left them.
    """

    manifest: dict[str, Any]
    sent: list[str]
    removed: list[str]


class Publication:
    """Copies what ``SHA256SUMS`` names, and that file, to a store.

    Where the manifest exists, the set is complete. So the manifest is removed before anything is changed, and written
    last. In between, another list tells the next run, if this one is killed, which files are this workflow's.

    Args:
        output_dir: the folder with ``SHA256SUMS``.
        store: where the copies go.
        retries: how often the store is asked again.
    """

    def __init__(self, output_dir: Path, store: Store, retries: Retries | None = None) -> None:
        self._output_dir = output_dir
        self._store = store
        self._retries = retries or Retries()
        self._digests: dict[str, Digests] = {}
        self._passed: dict[str, int] = {}  # bytes of each file that have been compared, or sent

    def run(self) -> Outcome:
        """Publish.

        Raises:
            PrepError: the store does not take it, or a file here is not what the audit saw.
        """
        url = self._store.address.url
        items = {item.name: item for item in items_of(self._output_dir)}
        there = self._ask(url, self._store.files)
        lists = {name: self._read(name) for name in (MANIFEST, UNFINISHED) if name in there}
        ours = {name for place, content in lists.items() for name in names_in(content, self._at(place))}
        others = there.keys() - items.keys() - ours - {MANIFEST, UNFINISHED}
        if others:
            log.info("%s: %d other files lie there, and stay. Is it the right folder?", url, len(others))
        right = self._compare([item for item in items.values() if item.name in there], there)
        missing = [item for name, item in items.items() if name not in right]
        removed = sorted((ours & there.keys()) - items.keys() - {MANIFEST, UNFINISHED})
        if missing or removed or lists.get(MANIFEST) != encoded(manifest_of(self._digests)):
            log.info("%s: %d files to send, %d lie there already", url, len(missing), len(right))
            replaced = [there[item.name].nbytes for item in missing if item.name in there]
            nbytes = sum(item.nbytes for item in missing) - sum(replaced)
            self._store.expect_room(nbytes, len(missing) - len(replaced))
            # The first thing that is written, so that whatever forbids it is known before anything has changed.
            self._write(UNFINISHED, unfinished_of(ours | items.keys()))
            self._remove([MANIFEST])
            self._ask(url, lambda: self._store.tidy({*ours, *items, MANIFEST, UNFINISHED}))
            self._send(missing)
            self._remove(removed)
            self._write(MANIFEST, manifest_of(self._digests))
            self._remove([UNFINISHED])
            log.info("%s: published; %d files sent, %d taken away", url, len(missing), len(removed))
        else:
            self._remove([UNFINISHED] if UNFINISHED in there else [])
            log.info("%s: all %d files lie there already, and are the right ones", url, len(items))
        return Outcome(manifest_of(self._digests), [item.name for item in missing], removed)

    def _compare(self, items: list[Item], there: Mapping[str, Found]) -> set[str]:
        """The names of the files that the store has with the right content; fills in their digests."""
        # One of another size is sent in any case, and read then.
        items = [item for item in items if there[item.name].nbytes == item.nbytes]
        progress = Progress(f"comparing with {self._store.address.url}", sum(item.nbytes for item in items))

        def look(item: Item, stopping: threading.Event) -> tuple[Item, Digests, bool]:
            digests = item.digest()
            found = there[item.name]
            same = self._ask(self._at(item.name), lambda: self._store.holds(item.name, found, digests), stopping)
            self._passed[item.name] = item.nbytes
            return item, digests, same

        right = set()
        for item, digests, same in self._each(look, items, progress):
            if same:
                right.add(item.name)
                self._digests[item.name] = digests
        return right

    def _send(self, items: list[Item]) -> None:
        """Send these; fills in their digests."""
        progress = Progress(f"publishing to {self._store.address.url}", sum(item.nbytes for item in items))

        def send(item: Item, stopping: threading.Event) -> tuple[Item, Digests]:
            digests = item.digest()
            self._ask(self._at(item.name), lambda: self._put(item.path, item.name, digests), stopping)
            self._passed[item.name] = item.nbytes
            return item, digests

        for item, digests in self._each(send, items, progress):
            self._digests[item.name] = digests

    def _each(
        self, work: Callable[[Item, threading.Event], Result], items: list[Item], progress: Progress
    ) -> Iterator[Result]:
        self._passed.clear()

        def show() -> None:
            progress.reach(sum(tuple(self._passed.values())))

        yield from each(work, items, UPLOADS, _TICK, show)
        progress.end()

    def _put(self, path: Path, name: str, digests: Digests) -> None:
        """Send a file, and see that it has arrived as it is."""

        def note(nbytes: int) -> None:
            self._passed[name] = nbytes

        self._store.put(path, name, note)
        found = self._store.file(name)
        if found is None or not self._store.holds(name, found, digests):
            raise Damaged

    def _write(self, name: str, document: dict[str, Any]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_bytes(encoded(document))
            digests = digest(path)
            self._ask(self._at(name), lambda: self._put(path, name, digests))

    def _read(self, name: str) -> bytes:
        return self._ask(self._at(name), lambda: self._store.read(name))

    def _remove(self, names: list[str]) -> None:
        for name in names:
            self._ask(self._at(name), functools.partial(self._store.remove, name))

    def _at(self, name: str) -> str:
        return self._store.address.of(name)

    def _ask(self, place: str, action: Callable[[], Result], stopping: threading.Event | None = None) -> Result:
        try:
            return self._retries.attempt(place, action, stopping or threading.Event())
        except Failure as failure:
            raise PrepError(place, failure.problem, failure.remedy) from None


def publish(output_dir: Path, url: str) -> Outcome:
    """Publish to a configured URL, or folder.

    Raises:
        PrepError: it is not possible, or not allowed, or fails again and again; or a file is not what the audit saw.
    """
    address = Address.parse(url)
    try:
        store = open_store(address)
    except Failure as failure:
        raise PrepError(address.url, failure.problem, failure.remedy) from None
    return Publication(output_dir, store).run()
