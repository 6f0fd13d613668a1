"""The whole audit of an output folder, each file read once, in as many processes as there are cores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from imagenet_prep import atomic, errors, signals
from imagenet_prep.engine.receipts import STATE, sums_in
from imagenet_prep.errors import PrepError
from imagenet_prep.products.audit.audit_report import SUMS
from imagenet_prep.products.audit.comparison import Compared, Comparison
from imagenet_prep.products.audit.facts import Facts
from imagenet_prep.products.audit.findings import MOVE_AWAY, SNAKEMAKE, Check
from imagenet_prep.products.audit.listing import check_listing
from imagenet_prep.products.audit.readings import Reading
from imagenet_prep.products.product import Product, SplitProduct
from imagenet_prep.products.registry import ALL_PRODUCTS, IMAGE_TABLE, LABELS, SPLIT_PRODUCTS
from imagenet_prep.progress import Progress

_WHOLE = [it for it in ALL_PRODUCTS if it.is_audited and not isinstance(it, SplitProduct)]
"""The products that are not cut by split."""


@dataclass
class Audit:
    """An audit of what lies in `output_dir`, against `config` (complete) and the tables made from the archives.

    Args:
        config: the whole configuration, as `configuration.complete` gives it.
        products: those to look at.
        splits: those whose archives are in use.
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
    _left_out: list[str] = field(default_factory=list)  # folders that could not be looked at

    @property
    def output_dir(self) -> Path:
        """The folder that is looked at."""
        return Path(self.config["output_dir"])

    @cached_property
    def facts(self) -> Facts:
        """What the products are held against."""
        return Facts(self.config, self.splits)

    def run(self) -> None:
        """Look at everything; without labels and the table of images there is nothing to hold the products against."""
        products = [it for it in SPLIT_PRODUCTS.values() if it.name in self.products]
        names = {*self.products, *(table for product in products for table in product.compared_with)}
        if not all(self._examine(product) for product in (LABELS, IMAGE_TABLE)):
            self._left_out.append("")
            return
        tables = [it for it in _WHOLE if it.name in names and it not in (LABELS, IMAGE_TABLE)]
        readable = {product.name for product in tables if self._examine(product)}
        self._left_out += [it.path for it in products if not readable.issuperset(it.compared_with)]
        products = [it for it in products if it.path not in self._left_out]
        for product in products:
            self._list(product)
        with ProcessPoolExecutor(self.workers, initializer=signals.leave_at_once) as pool:
            for product in SPLIT_PRODUCTS.values():
                for split in self._splits(product):
                    self._read(pool, product, split, products)
        self._nothing_else([LABELS, IMAGE_TABLE, *tables])
        for product in products:
            self._sum(product)

    def _splits(self, product: SplitProduct) -> list[str]:
        """The splits of a product whose images are in use."""
        splits = product.splits_in_use(self.config)
        return [split for split in splits if product.split_of_images(self.config, split) in self.splits]

    def _examine(self, product: Product) -> bool:
        """Look at the files of a product that is not cut by split; return whether they could be read."""
        self._sum(product)
        place = self.output_dir / product.path
        mend = f"{SNAKEMAKE} {product.name if product.is_target else place}"
        again = f"rm -r {place} && {mend}"
        is_readable = True
        for name, examine in product.examinations(self.facts).items():
            check = Check(name)
            paths = [self.output_dir / path for path in product.files(self.config)]
            missing = [str(path) for path in paths if not path.is_file()]
            check.add_each("it is missing", missing, mend)
            # Nothing in a table tells that its footer is damaged, and that can end the process which reads it.
            changed = [str(path) for path in paths if path.suffix == ".parquet" and self._is_changed(path)]
            check.add_each("it is not as it was made", changed, f"rm {{}} && {mend}")
            try:
                check = check if missing or changed else examine(again)
            except PrepError as error:
                check.add(str(error), again)
                is_readable = False
            except (pa.ArrowException, OSError, ValueError, KeyError, IndexError) as error:
                check.add(f"{place}: it is damaged and cannot be read ({type(error).__name__})", again)
                is_readable = False
            self.checks.append(check)
            is_readable &= not missing and not changed
        return is_readable

    def _sum(self, product: Product) -> None:
        """Take the checksums of the files of a product that keep their names."""
        for name in product.files(self.config):
            path = self.output_dir / name
            if path.is_file():
                with errors.reading(path):
                    self.sums[name] = atomic.sha256(path)

    def _is_changed(self, path: Path) -> bool:
        """Whether a file is another one than was made."""
        found = self.sums.get(self.relative(path))
        return found is not None and found != self._made.get(self.relative(path), found)

    @cached_property
    def _made(self) -> dict[str, str]:
        """The checksums of files as they were made; in a folder copied without receipts, as the last audit saw them."""
        state = self.output_dir / STATE
        receipts = [path for product in _WHOLE for path in (state / product.name).glob("*.json")]
        return self._recorded | sums_in(receipts)

    @cached_property
    def _recorded(self) -> dict[str, str]:
        """The checksums that the last audit wrote, by path below the output folder; none where there are none."""
        path = self.output_dir / SUMS
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}

    def _list(self, product: SplitProduct) -> None:
        """Look whether all units and sidecars of a product are there, and nothing else."""
        expected = {self.output_dir / path: f"{SNAKEMAKE} {product.name}" for path in product.files(self.config)}
        for split in self._splits(product):
            expected |= dict.fromkeys(product.audited_units(self.facts, split), self._mend(product, split))
        self.checks.append(check_listing(f"{product.name} folder", self.output_dir / product.path, expected))

    def _nothing_else(self, examined: list[Product]) -> None:
        """Likewise of folders that several products share."""
        # What was a product earlier, perhaps of other classes, may stay, but is not vouched for.
        for folder in dict.fromkeys(product.path.rpartition("/")[0] for product in examined):
            in_use = [product for product in ALL_PRODUCTS if product.is_in_use(self.config)]
            paths = [path for product in in_use for path in product.files(self.config)]
            names = {Path(path).name for path in paths if path.startswith(f"{folder}/")}
            check = Check(f"{folder} folder", {"entries": len(names)})
            there = (self.output_dir / folder).glob("*")
            extra = sorted(str(path) for path in there if path.name not in names)
            check.add_each("no product of this configuration", extra, MOVE_AWAY)
            self.checks.append(check)

    def _read(self, pool: ProcessPoolExecutor, product: SplitProduct, split: str, audited: list[SplitProduct]) -> None:
        """Read a split of a product; compare it with the tables, and with it what is made of each of its units."""
        followers = [Follower(self, it, split, product) for it in audited if _follows(it, product, split, self.config)]
        if product.unit_by_unit or (product not in audited and not followers):
            return
        compared = Compared(product, split, self.facts, self._mend(product, split))
        check = Check(self._name(product, split))
        comparison = Comparison(check, compared)
        there = [(number, unit) for number, unit in enumerate(compared.units) if unit.exists()]
        read = partial(product.read, self.config, split, reencoded=product.reencoded(self.facts, split))
        readings = _map(pool, f"reading {check.name}", product.unit, read, [unit for _, unit in there])
        for (number, _), reading in zip(there, readings, strict=True):
            for error in reading.problems:
                remove = "rm -r" if Path(error.place).is_dir() else "rm"
                mend = f"{remove} {error.place} && {compared.mend}"
                check.add(str(error), mend, kind=f"{product.unit} that cannot be read")
            if reading.problems and not compared.is_file_each:
                comparison.unreadable.append(compared.units[number])
            else:
                comparison.add(number, reading.samples)
                for follower in followers:
                    follower.compare(number, reading.samples)
            if product in audited:
                self.sums |= {self.relative(path): digest for path, digest in reading.sums.items()}
        if product in audited:
            comparison.finish()
            self.checks.append(check)
        for follower in followers:
            self.checks.append(follower.finish(is_explained=product in audited))

    def _name(self, product: SplitProduct, split: str) -> str:
        """What the check of a split is called: after its folder, where it has one of its own."""
        folder = product.place(self.facts.dataset, split).removeprefix(product.path)
        return f"{product.name} {folder or split}"

    def _mend(self, product: SplitProduct, split: str) -> str:
        """The command that makes what is missing of a split, and of what is made of it unit by unit."""
        followers = [
            it
            for it in SPLIT_PRODUCTS.values()
            if it.name in self.products and _follows(it, product, split, self.config)
        ]
        return " ".join([SNAKEMAKE, *(f"{it.name}_{split}" for it in (product, *followers))])

    def _is_left_out(self, name: str) -> bool:
        """Whether a file is there, in a folder that could not be looked at."""
        return name.startswith(tuple(self._left_out)) and (self.output_dir / name).is_file()

    def relative(self, path: Path) -> str:
        """A path below the output folder."""
        return path.relative_to(self.output_dir).as_posix()

    def sha256sums(self) -> str:
        """The published files as `sha256sum -c` reads them."""
        return "".join(f"{digest}  {name}\n" for name, digest in sorted(self.sums.items()))

    def check_sums(self) -> None:
        """Hold the files against the checksums that the last audit wrote; call it after `run`."""
        path = self.output_dir / SUMS
        check = Check(SUMS)
        if not path.is_file():
            check.add(f"{path}: it is missing", f"{SNAKEMAKE} audit")
        else:
            recorded = self._recorded
            check.figures["files"] = len(recorded)
            changed = [name for name, digest in sorted(self.sums.items()) if recorded.get(name) != digest]
            mend = (
                f"{SNAKEMAKE} -f audit_products if that change was meant, else rm {self.output_dir}/{{}} && {SNAKEMAKE}"
            )
            check.add_each("it is not what the last audit saw", changed, mend)
            gone = [name for name in sorted(recorded.keys() - self.sums.keys()) if not self._is_left_out(name)]
            check.add_each("the last audit saw it, and it is not there or not whole now", gone, SNAKEMAKE)
        self.checks.append(check)


class Follower:
    """A split of a product that is made unit by unit from those of another one, held against what these hold."""

    def __init__(self, audit: Audit, product: SplitProduct, split: str, of: SplitProduct) -> None:
        self._product, self._of = product, of
        self._units = product.audited_units(audit.facts, split)
        self._mend = f"{SNAKEMAKE} {product.name}_{split}"
        self._check = Check(f"{product.name} {split}", {product.unit: 0})
        self._compared: set[Path] = set()
        for unit in self._units:
            if unit.is_file():
                audit.sums[audit.relative(unit)] = atomic.sha256(unit)

    def compare(self, number: int, samples: pa.Table) -> None:
        """Hold a unit against the samples of the unit of the same number; one that is missing is named elsewhere."""
        unit = self._units[number]
        self._compared.add(unit)
        if unit.is_file():
            self._check.figures[self._product.unit] += 1
            wrong = [] if self._product.fits(unit, samples) else [str(unit)]
            what = f"it does not fit the {self._of.samples} of {self._of.name}"
            self._check.add_each(what, wrong, f"rm {{}} && {self._mend}")

    def finish(self, *, is_explained: bool) -> Check:
        """The check; where the other product is not looked at for itself, with the units that could not be compared."""
        if not is_explained:
            left = [str(unit) for unit in self._units if unit not in self._compared]
            what = f"what it is made from is missing or damaged in {self._of.name}, so it is not looked at"
            self._check.add_each(what, left, self._mend)
        return self._check


def _follows(product: SplitProduct, other: SplitProduct, split: str, config: dict[str, Any]) -> bool:
    """Whether a product is made unit by unit from those of another one."""
    return product.unit_by_unit and (other.name, split) in product.needs(config, split)


def _map(
    pool: ProcessPoolExecutor, what: str, unit: str, function: Callable[[Path], Reading], units: list[Path]
) -> Iterator[Reading]:
    progress = Progress(what, len(units), unit)
    for result in pool.map(function, units, chunksize=max(1, len(units) // 400)):
        progress.advance(1)
        yield result
