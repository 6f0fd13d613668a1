"""Compares an output folder with its receipts and the last audit, where there are no tables to compare it with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from imagenet_prep import atomic, commands
from imagenet_prep.checksums import SUMS
from imagenet_prep.engine.receipts import ARCHIVES
from imagenet_prep.engine.step import Config, Need
from imagenet_prep.errors import PrepError
from imagenet_prep.products.audit.findings import Check
from imagenet_prep.products.audit.originals import Originals
from imagenet_prep.products.registry import ALL_PRODUCTS, AUDIT, PAGE, SAMPLES, SPLIT_PRODUCTS, STEPS

_MISSING = "it is missing"


class AsMade:
    """Compares files and folders with what is known of them as they were made."""

    def __init__(self, originals: Originals) -> None:
        self._originals, self._output_dir = originals, originals.output_dir
        self._held = {SUMS}  # the files that were looked at here

    def units(self, product: str, split: str) -> list[Path]:
        """The files and folders of a split of a product that was made."""
        files, folders = self._originals.of(product, split)
        return [self._output_dir / name for name in (*files, *folders)]

    def split(self, name: str, place: str, need: Need, mend: str) -> Check:
        """Compare a split of a product, as far as it exists.

        Args:
            name: of the check.
            place: of the units, below the output folder.
            need: the product and the split.
            mend: the command that makes what is missing.
        """
        files, folders = self._originals.of(*need)
        check = Check(name, {"units": len(files) + len(folders)})
        if not files and not folders:
            check.add(f"{self._output_dir / place}: nothing is known of {need[1]} as it was made", mend)
        wrong = self._wrong(files)
        check.add_wrong_files(self._output_dir, {it: what for it, what in wrong.items() if what != _MISSING}, mend)
        for folder, made in folders.items():
            path = self._output_dir / folder
            found = sum(1 for _ in path.iterdir()) if path.is_dir() else None
            if found not in (None, made.get("files")):
                problem = f"{path}: it has {found} files in place of {made.get('files')}"
                check.add(problem, commands.remove(path, then=mend), kind="number of files")
        self._held |= files.keys()
        return check

    def sums(self, sums: Mapping[str, str], named: Collection[str]) -> Check:
        """Compare the list of the last audit's checksums with the files.

        Args:
            sums: SHA-256 of the files that are there, by path below the output folder.
            named: files of which something else is known to be wrong.
        """
        path, check, audit = self._output_dir / SUMS, Check(SUMS), commands.snakemake(AUDIT.name)
        try:
            if not path.is_file():
                check.add(f"{path}: it is missing", audit)
                return check
            if self._originals.is_changed(SUMS, sha256=atomic.sha256(path)):
                check.add(f"{path}: it is not as it was made", commands.remove(path, then=audit))
                return check
            recorded = self._originals.recorded
        except PrepError as error:
            check.add(str(error), commands.remove(path, then=audit))
            return check
        check.figures["files"] = len(recorded)
        unknown = {*named, *self._held}
        changed = [it for it, digest in sorted(sums.items()) if recorded.get(it) != digest and it not in unknown]
        made = self._originals.files
        for what, names, mend in (
            ("the last audit saw another one", [name for name in changed if name in made], audit),
            (
                "it is not what the last audit saw",
                [name for name in changed if name not in made],
                f"rm -f {{}} && {commands.snakemake()}",
            ),
            (
                "the last audit saw it, and it is not there or not whole now",
                sorted(recorded.keys() - sums.keys() - unknown),
                audit,
            ),
        ):
            check.add_each(what, [str(self._output_dir / name) for name in names], mend)
        return check

    def others(self, config: Config) -> Check:
        """Compare what the audit does not look at: page, scores, and reports of the archives in use."""
        page = [PAGE.path, *SAMPLES.files(config)] if PAGE.name in config["products"] else []
        audited = {it.name for it in ALL_PRODUCTS if it.is_audited} | {it.description for it in SPLIT_PRODUCTS.values()}
        files = {
            name: made
            for step in sorted({*STEPS, ARCHIVES} - audited)
            for name, made in self._originals.made_by(step)
            if name not in self._held and (step != ARCHIVES or Path(name).stem in config["use"])
        }
        missing = {name: _MISSING for name in page if not (self._output_dir / name).is_file()}
        check = Check("other files", {"files": len(files)})
        for name, what in {**missing, **self._wrong(files)}.items():
            check.add_wrong_files(self._output_dir, {name: what}, commands.snakemake(self._output_dir / name))
        for error in self._originals.damaged:
            check.add(str(error), commands.remove(error.place, then=commands.snakemake()), kind="receipt")
        return check

    def _wrong(self, files: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        """What is wrong with each of these files that is not as these receipts say."""
        wrong = {}
        for name, made in files.items():
            if not (self._output_dir / name).is_file():
                wrong[name] = _MISSING
            elif not self._originals.is_as_made(name, made):
                wrong[name] = "it is not as it was made"
        return wrong
