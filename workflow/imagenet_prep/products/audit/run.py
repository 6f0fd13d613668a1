"""The whole audit of an output folder, each file read once, in as many processes as there are cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from imagenet_prep import atomic, commands, errors, signals
from imagenet_prep.engine.receipts import ARCHIVES
from imagenet_prep.errors import PrepError
from imagenet_prep.products.audit.archive_bytes import check_archive
from imagenet_prep.products.audit.as_made import AsMade
from imagenet_prep.products.audit.comparison import AuditedSplit, Comparison
from imagenet_prep.products.audit.facts import Facts
from imagenet_prep.products.audit.findings import Check
from imagenet_prep.products.audit.follower import Follower, follows
from imagenet_prep.products.audit.listing import check_listing
from imagenet_prep.products.audit.originals import Originals
from imagenet_prep.products.audit.readings import Reading
from imagenet_prep.products.product import Product, SplitProduct
from imagenet_prep.products.registry import ALL_PRODUCTS, IMAGE_TABLE, LABELS, SPLIT_PRODUCTS, STEPS
from imagenet_prep.progress import Progress

_WHOLE = [it for it in ALL_PRODUCTS if it.is_audited and not isinstance(it, SplitProduct)]
"""The products that are not cut by split."""


@dataclass
class Audit:
    """An audit of what lies in `output_dir`, against `config` (complete) and the tables made from the archives.

    Args:
        config: the configuration, complete.
        products: names of the products to look at.
        splits: names of the data set's splits whose archives are in use.
        workers: how many processes read.

    Attributes:
        checks: what was looked at, filled by `run`.
        sums: SHA-256 of every published file by its path below the output folder, filled by `run`.
    """

    config: dict[str, Any]
    products: list[str]
    splits: list[str]
    workers: int
    checks: list[Check] = field(default_factory=list)
    sums: dict[str, str] = field(default_factory=dict)
    _named: set[str] = field(default_factory=set)  # files that are missing, changed or damaged, as is said elsewhere

    @property
    def output_dir(self) -> Path:
        """The folder that is looked at."""
        return Path(self.config["output_dir"])

    @cached_property
    def facts(self) -> Facts:
        """What the products are held against."""
        return Facts(self.config, self.splits)

    @cached_property
    def originals(self) -> Originals:
        """What is known of the files as they were made."""
        return Originals(self.output_dir, [*STEPS, ARCHIVES])

    @cached_property
    def _as_made(self) -> AsMade:
        return AsMade(self.originals)

    def run(self) -> None:
        """Look at everything; what cannot be compared with the tables is compared with its receipts."""
        products = [it for it in SPLIT_PRODUCTS.values() if it.name in self.products]
        names = {*self.products, *(table for product in products for table in product.compared_with)}
        has_labels = self._examine(LABELS)
        is_known = self._examine(IMAGE_TABLE, is_known=has_labels) and has_labels
        tables = [it for it in _WHOLE if it.name in names and it not in (LABELS, IMAGE_TABLE)]
        readable = {product.name for product in tables if self._examine(product, is_known=is_known)}
        comparable = [it for it in products if is_known and readable.issuperset(it.compared_with)]
        for product in products:
            self._list(product, is_known=product in comparable)
        with ProcessPoolExecutor(self.workers, initializer=signals.leave_at_once) as pool:
            for product in SPLIT_PRODUCTS.values():
                for split in self._splits(product):
                    if is_known:
                        self._read(pool, product, split, comparable)
                    if product in products and product not in comparable:
                        name, place = self._name(product, split), product.place(self.facts.dataset, split)
                        check = self._as_made.split(name, place, (product.name, split), self._mend(product, split))
                        check.figures = {product.unit: check.figures.pop("units"), **check.figures}
                        self.checks.append(check)
        self._nothing_else([LABELS, IMAGE_TABLE, *tables])
        for product in products:
            self._examine_sidecars(product, is_listed=product in comparable)

    def _splits(self, product: SplitProduct) -> list[str]:
        """The splits of a product whose images are in use, and that can be made of them."""
        splits = [it for it in product.splits_in_use(self.config) if not product.obstacle(self.config, it)]
        return [split for split in splits if product.split_of_images(self.config, split) in self.splits]

    def _examine(self, product: Product, *, is_known: bool = True) -> bool:
        """Look at the files of a product that is not cut by split; return whether others can be held against them.

        Args:
            product: that is looked at.
            is_known: whether there are labels and a table of images to hold it against.
        """
        place = self.output_dir / product.path
        mend = commands.snakemake(product.name if product.is_target else place)
        again = commands.remove(place, then=mend)
        names = product.files(self.config)
        if not any((self.output_dir / name).exists() for name in names):
            self.checks.append(check := Check(product.name))
            check.add(f"{place}: it is missing", mend)
            self._named.update(names)
            return False
        wrong = self._wrong_files(names)
        can_be_used = not wrong.keys() & set(product.used_by_audit or names)
        examinations = product.examinations(self.facts)
        if wrong or not is_known:
            check = Check(next(iter(examinations), product.name))
            check.add_wrong_files(self.output_dir, wrong, mend)
            self.checks.append(check)
            return can_be_used
        for name, examine in examinations.items():
            try:
                check = examine(again)
            except PrepError as error:
                check = Check(name)
                check.add(str(error), again)
                can_be_used = False
            except (pa.ArrowException, OSError, ValueError, KeyError, IndexError) as error:
                check = Check(name)
                check.add(f"{place}: it is damaged and cannot be read ({type(error).__name__})", again)
                can_be_used = False
            self.checks.append(check)
        return can_be_used

    def _wrong_files(self, names: Iterable[str]) -> dict[str, str]:
        """What is wrong with each of these files that is missing, or was changed since; takes the sums of all."""
        wrong = {}
        for name in names:
            path = self.output_dir / name
            if not path.is_file():
                wrong[name] = "it is missing"
                continue
            with errors.reading(path):
                self.sums[name] = atomic.sha256(path)
            if self.originals.is_changed(name, sha256=self.sums[name]):
                wrong[name] = "it is not as it was made"
        self._named |= wrong.keys()
        return wrong

    def _examine_sidecars(self, product: SplitProduct, *, is_listed: bool) -> None:
        """Look at the files beside a product's units; where these are listed, one that is missing is named there."""
        wrong = self._wrong_files(product.files(self.config))
        wrong = {name: what for name, what in wrong.items() if not is_listed or (self.output_dir / name).exists()}
        if wrong:
            check = Check(f"{product.name} sidecars")
            check.add_wrong_files(self.output_dir, wrong, commands.snakemake(product.name))
            self.checks.append(check)

    def _list(self, product: SplitProduct, *, is_known: bool) -> None:
        """Look whether all units and sidecars of a product are there, and nothing else.

        Args:
            product: that is looked at.
            is_known: whether the tables tell which units there should be; else its receipts do.
        """
        again = commands.snakemake(product.name)
        expected = dict.fromkeys((self.output_dir / path for path in product.files(self.config)), again)
        for split in self._splits(product):
            listed = product.audited_files(self.facts, split) if is_known else self._as_made.units(product.name, split)
            expected |= dict.fromkeys(listed, self._mend(product, split))

        def take_away(path: str) -> str:
            is_left = product.was_made(self.config, Path(path))
            return again if is_left else commands.move_away(path, self.output_dir)

        self.checks.append(check_listing(f"{product.name} folder", self.output_dir / product.path, expected, take_away))

    def _nothing_else(self, examined: list[Product]) -> None:
        """Look whether anything else is in folders that several products share."""
        # What was a product earlier, perhaps of other classes, may stay, but is not vouched for.
        for folder in dict.fromkeys(product.path.rpartition("/")[0] for product in examined):
            in_use = [product for product in ALL_PRODUCTS if product.is_in_use(self.config)]
            paths = [path for product in in_use for path in product.files(self.config)]
            names = {Path(path).name for path in paths if path.startswith(f"{folder}/")}
            check = Check(f"{folder} folder", {"entries": len(names)})
            there = (self.output_dir / folder).glob("*")
            extra = sorted(str(path) for path in there if path.name not in names and not atomic.is_partial(path))
            check.add_each("no product of this configuration", extra, self._move_away)
            self.checks.append(check)

    def _move_away(self, path: str) -> str:
        return commands.move_away(path, self.output_dir)

    def _read(self, pool: ProcessPoolExecutor, product: SplitProduct, split: str, audited: list[SplitProduct]) -> None:
        """Read a split of a product; compare it with the tables, and with it what is made of each of its units."""
        followers = [
            Follower(self.facts, it, split, product) for it in audited if follows(it, product, split, self.config)
        ]
        if product.unit_by_unit or (product not in audited and not followers):
            return
        for follower in followers:
            self.sums |= {self._relative(path): digest for path, digest in follower.sums().items()}
        units = product.audited_units(self.facts, split)
        for of in [[unit] for unit in units] if product.is_each_unit_whole else [units]:
            self._compare(pool, product, split, of, product in audited, followers)

    def _compare(
        self,
        pool: ProcessPoolExecutor,
        product: SplitProduct,
        split: str,
        units: list[Path],
        is_audited: bool,
        followers: list[Follower],
    ) -> None:
        """Read units of a split, which together have all samples, and compare them."""
        audited = AuditedSplit(product, split, self.facts, self._mend(product, split), units)
        name = self._name(product, split)
        check = Check(f"{name} {units[0].parent.name}" if product.is_each_unit_whole else name)
        comparison = Comparison(check, audited)
        there = [(number, unit) for number, unit in enumerate(units) if unit.exists()]
        read = partial(product.read, self.config, split, reencoded=product.reencoded(self.facts, split))
        readings = _map(pool, f"reading {check.name}", product.unit, read, [unit for _, unit in there])
        for (number, _), reading in zip(there, readings, strict=True):
            for error in reading.problems:
                mend = commands.remove(error.place, then=audited.mend)
                check.add(str(error), mend, kind=f"{product.unit} that cannot be read")
                self._named.add(self._relative(Path(error.place)))
            if reading.problems and not audited.is_file_each and not len(reading.samples):
                comparison.unreadable.append(units[number])
            else:
                comparison.add(number, reading.samples)
                for follower in followers:
                    follower.compare(number, reading.samples)
            for path, crc in reading.crcs.items():
                if self.originals.is_changed(self._relative(path), crc32c=crc):
                    comparison.changed.append(path)
                    self._named.add(self._relative(path))
            if is_audited:
                self.sums |= {self._relative(path): digest for path, digest in reading.sums.items()}
        if is_audited:
            comparison.finish()
            self.checks.append(check)
        for follower in followers:
            self.checks.append(follower.finish(is_explained=is_audited))

    def _name(self, product: SplitProduct, split: str) -> str:
        """What the check of a split is called: after its folder, where it has one of its own."""
        folder = product.place(self.facts.dataset, split).removeprefix(product.path)
        return f"{product.name} {folder or split}"

    def _mend(self, product: SplitProduct, split: str) -> str:
        """The command that makes what is missing of a split, and of what is made of it unit by unit."""
        followers = [
            it
            for it in SPLIT_PRODUCTS.values()
            if it.name in self.products and follows(it, product, split, self.config)
        ]
        return commands.snakemake(*(f"{it.name}_{split}" for it in (product, *followers)))

    def _relative(self, path: Path) -> str:
        """A path below the output folder."""
        return path.relative_to(self.output_dir).as_posix()

    def sha256sums(self) -> str:
        """The published files as `sha256sum -c` reads them."""
        return "".join(f"{digest}  {name}\n" for name, digest in sorted(self.sums.items()))

    def check_archives(self) -> None:
        """Hold the images of archives that a product points into against their scan; call it after `run`."""
        products = [it for it in SPLIT_PRODUCTS.values() if it.points_into_archives and it.name in self.products]
        if IMAGE_TABLE.path not in self._named:
            splits = dict.fromkeys(split for product in products for split in self._splits(product))
            self.checks += filter(None, (check_archive(self.facts, split, self.workers) for split in splits))

    def check_sums(self) -> None:
        """Hold the files against the checksums that the last audit wrote; call it after `run`."""
        self.checks.append(self._as_made.sums(self.sums, self._named))

    def check_others(self) -> None:
        """Hold what the audit does not look at against what its receipts say: page, scores, reports; call it last."""
        self.checks.append(self._as_made.others(self.config))


def _map(
    pool: ProcessPoolExecutor, what: str, unit: str, function: Callable[[Path], Reading], units: list[Path]
) -> Iterator[Reading]:
    progress = Progress(what, len(units), unit)
    for result in pool.map(function, units, chunksize=max(1, len(units) // 400)):
        progress.advance(1)
        yield result
