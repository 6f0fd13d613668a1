"""Output folders as jobs leave them: receipts, and the files that they name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from configuration.official import overlaid
from imagenet_prep import configuration
from imagenet_prep.engine import archive_paths
from imagenet_prep.engine.provenance import Provenance
from imagenet_prep.engine.receipts import ARCHIVES, Name, ledger_of
from imagenet_prep.engine.step import Need
from imagenet_prep.products.registry import DEFAULT_PRODUCTS, SPLIT_PRODUCTS, STEPS

OLD, NEW = "0123456789", "abcdef0123"
"""The digests of an older configuration and of the present one."""

BATCHES = ("train-00000-00001-of-00004", "train-00002-00003-of-00004")
ANIMALS = ["n01440764", "n01443537", "n01484850", "n01491361"]


def put(output: Path, step: str, subject: str, digest: str = OLD, number: int = 1, **body: Any) -> Path:
    """A receipt that lies there."""
    return written(output / "state" / step / f"{subject}.{digest}.{number}.json", body)


def written(path: Path, content: object = "") -> Path:
    """A file with this text, or this as JSON, in folders that need not be there yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def folder(output: Path, path: str, names: Iterable[str]) -> dict[str, Any]:
    """A folder that was made with these files; what a receipt says of it."""
    names = list(names)
    for name in names:
        written(output / path / name)
    written(ledger_of(output, path), "".join(f"{name}\n" for name in names))
    return {path: {"files": len(names), "changed": (output / path).stat().st_mtime_ns}}


def job(
    receipt: Path, settings: Mapping[str, Any] | None = None, of: Iterable[str] = (), given: Iterable[Path] = ()
) -> Any:
    """What Snakemake tells a script: its receipt, its settings, the archives that count and receipts of those there."""
    receipt.parent.mkdir(parents=True, exist_ok=True)
    params = SimpleNamespace(settings=settings or {}, archives=list(of))
    return SimpleNamespace(output=SimpleNamespace(receipt=str(receipt)), params=params, input={"archives": given})


CHANGES: dict[str, Any] = {
    "use": ["train", "train_t3", "val", "test", "devkit", "bbox_train", "bbox_val", "multilabel", "real_labels"],
    "products": [*DEFAULT_PRODUCTS, "tfrecord_multilabel"],
    "classes": ANIMALS,
    "publish": {"url": "gs://bucket"},
    "tfrecord": {"train_shards": 4, "validation_shards": 2},
    "jobs": {"imagefolder_classes": 2, "imagefolder_val_classes": 2, "tfrecord_shards": 2, "index_shards": 2},
}
"""The official configuration, all archives in use, with a product more, of few classes and shards, two in a job."""


class Output:
    """An output folder, what the configuration asks for there, and jobs that do it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archives = path.parent / "archives"

    def config(self, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The configuration, complete, with some changes."""
        own = {"output_dir": str(self.path), "archives_dir": str(self.archives), **CHANGES}
        return configuration.complete(overlaid(dict(changes or {}), overlaid(own)), self.path)

    def asks(self, changes: Mapping[str, Any] | None = None, given: Mapping[str, Any] | None = None) -> Provenance:
        """What the configuration asks for, as things stand."""
        return Provenance(self.config(changes), STEPS, given)

    def file(self, name: str) -> Path:
        """Where an archive lies."""
        return self.archives / str(self.config()["archives"][name]["file"])

    def scan(self, name: str, content: str = "first") -> None:
        """An archive that lies there and was read."""
        archive = self.file(name)
        if not archive.exists():
            written(archive, content)
        receipt = self.asks().archive_receipt(name)
        for older in receipt.parent.glob(f"{name}.*"):
            older.unlink()
        written(receipt, {"archives": {}, "stat": archive_paths.stat(archive), "content": content, "files": {}})

    def make(self, step: str, subject: str = "all", changes: Mapping[str, Any] | None = None) -> list[Path]:
        """What a step is asked for, made from the archives as they were read last; return its receipts."""
        asks = self.asks(changes)
        receipts = asks.batches(step, subject) if step in SPLIT_PRODUCTS else [asks.receipt(step, subject)]
        for receipt in receipts:
            own = Name.parse(receipt.name)
            assert own is not None
            unit = f"{step}/{own.subject}"
            written(self.path / unit)
            written(receipt, {"archives": self.contents(asks.archives(step, subject)), "files": {unit: {}}})
        return receipts

    def contents(self, names: Iterable[str]) -> dict[str, str]:
        """What is known of these archives."""
        found = [path for name in names for path in (self.path / "state" / ARCHIVES).glob(f"{name}.*.json")]
        return {path.name.partition(".")[0]: json.loads(path.read_text())["content"] for path in found}


def numbers(receipts: Iterable[Path]) -> list[int]:
    """The numbers of receipts."""
    return [name.number for receipt in receipts if (name := Name.parse(receipt.name))]


def all_steps(asks: Provenance) -> set[Need]:
    """Every step and subject that a configuration has anything to do with."""
    found: set[Need] = set()
    split = [(step, of) for step, of in asks.needs("audit") if step in SPLIT_PRODUCTS]
    left = [("report", "all"), ("published", "all"), ("scores", "all"), ("predictions", "all")]
    left += [("leftovers", f"{step}-{of}") for step, of in split]
    while left:
        need = left.pop()
        if need not in found:
            found.add(need)
            left += asks.needs(*need)
    return found
