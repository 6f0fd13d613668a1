"""Makes products by the scripts of the workflow, as Snakemake would, and without starting it: job by job."""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import yaml

from imagenet_prep import configuration
from imagenet_prep.engine.inputs import Inputs
from imagenet_prep.engine.provenance import Provenance
from imagenet_prep.engine.receipts import Name
from imagenet_prep.engine.step import ALL
from imagenet_prep.products.registry import SPLIT_PRODUCTS, STEPS
from imagenet_prep.products.shards import ShardedProduct
from project import CHECKOUT, Project, merged

# Steps whose script has another name than their rule, since the rules are generated for each product.
_SCRIPTS = {product.rule: "write_product" for product in SPLIT_PRODUCTS.values()}
_SCRIPTS |= {f"describe_{name}": "describe_product" for name in SPLIT_PRODUCTS}


class Given(dict[str, Any]):
    """The inputs of a job, by name and as attributes."""

    __getattr__ = dict.__getitem__


@cache
def script(name: str) -> ModuleType:
    """A script of the workflow."""
    spec = importlib.util.spec_from_file_location(name, CHECKOUT / "workflow" / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Maker:
    """A project, whose tables of the devkit and of the boxes are there, and jobs that make the rest.

    Args:
        project: of which archives were read.
        changes: of its configuration.
    """

    def __init__(self, project: Project, changes: Mapping[str, Any] | None = None) -> None:
        config = yaml.safe_load((CHECKOUT / "config" / "config.yaml").read_text())
        config = merged(merged(config, yaml.safe_load((project.folder / "test.yaml").read_text())), dict(changes or {}))
        config |= {"output_dir": str(project.results), "archives_dir": str(project.archives)}
        self.config = configuration.complete(config, project.folder)
        self.results = project.results

    def asks(self) -> Provenance:
        """What the configuration asks for, as things stand."""
        return Provenance(self.config, STEPS)

    def receipts(self, step: str, subject: str = ALL) -> list[Path]:
        """The receipts of a step, all of its batches."""
        asks = self.asks()
        return asks.batches(step, subject) if step in SPLIT_PRODUCTS else [asks.receipt(step, subject)]

    def make(self, step: str, subject: str = ALL, *, backwards: bool = False) -> list[Path]:
        """Make a step and what it needs, where that is not made; return the receipts that were written."""
        made = []
        for receipt in self.receipts(step, subject)[:: -1 if backwards else 1]:
            if not receipt.exists():
                for need in STEPS[step].inputs(self.config, subject):
                    made += self.make(*need, backwards=backwards)
                self._run(step, subject, receipt)
                made.append(receipt)
        return made

    def inputs(self, product: str, split: str) -> Inputs:
        """What a job of a product is given."""
        return Inputs(self.config, self.asks().settings(product, split), self._given(product, split))

    def _given(self, step: str, subject: str) -> list[str]:
        needs = STEPS[step].inputs(self.config, subject)
        return [str(receipt) for need in needs for receipt in self.receipts(*need)]

    def _run(self, step: str, subject: str, receipt: Path) -> None:
        asks, rule = self.asks(), STEPS[step].rule
        receipt.parent.mkdir(parents=True, exist_ok=True)
        product, _, split = subject.rpartition("-") if "-" in subject else (step, "", subject)
        name = Name.parse(receipt.name)
        assert name is not None
        given = Given(needs=self._given(step, subject), archives=[*map(str, asks.archive_receipts(step, subject))])
        given |= {need: self._receipt(need) for need in ("devkit",)}
        for need, of in STEPS[step].inputs(self.config, subject):
            if need in ("images", "boxes"):
                given.setdefault(need, []).extend(map(str, self.receipts(need, of)))
        if rule == "label_images":
            given["scan"] = str(asks.archive_receipt(*STEPS[step].reads(self.config, subject)))
        if rule == "remove_leftovers":
            given["batches"] = [str(path) for path in self.receipts(product, split)]
        of_step = getattr(STEPS[step], "product", STEPS[step])
        files = [self.results / path for path in getattr(of_step, "files", lambda _: [])(self.config)]
        job = SimpleNamespace(
            config=self.config,
            input=given,
            output=SimpleNamespace(
                receipt=str(receipt), table=str(files[0]) if files else "", files=files, labels=files
            ),
            params=SimpleNamespace(
                product=product.removesuffix("_description"),
                settings=asks.settings(step, subject),
                archives=asks.archives(step, subject),
            ),
            wildcards=SimpleNamespace(product=product, split=split, batch=name.subject.removeprefix(f"{split}-")),
            threads=1,
        )
        script(_SCRIPTS.get(rule, rule)).main(job)

    def _receipt(self, step: str) -> str:
        return str(self.receipts(step)[0])

    def files(self, product: str, split: str) -> dict[str, bytes]:
        """What lies of a product's split: the content of each file by its path below the output folder."""
        return {
            path.relative_to(self.results).as_posix(): path.read_bytes()
            for path in self.paths(product, split)
            if path.is_file()
        }

    def paths(self, product: str, split: str) -> list[Path]:
        """All files and folders of a product's split, sorted: those of its tree, or which are called as its shards."""
        it, folder = SPLIT_PRODUCTS[product], self.results / SPLIT_PRODUCTS[product].path
        if isinstance(it, ShardedProduct):
            return sorted({path for pattern in it.naming_of(split).patterns(split) for path in folder.glob(pattern)})
        dataset = self.inputs(product, split).dataset
        place = self.results / it.place(dataset, split)
        if place != folder:
            return sorted((place, *place.rglob("*")))
        archive = self.config["archives"][dataset.splits[split].archive]["file"]
        return sorted(path for pattern in (f"*/{split}.*", f"*/{archive}.*") for path in folder.glob(pattern))


def killed_at(step: int, do: Callable[[], object]) -> bool:
    """Do something in a process that is killed before its so manieth change of the disk; whether it was.

    A change is a file or folder renamed or removed, or a name forced to the disk.
    """
    child = os.fork()
    if child == 0:
        try:
            left: Iterator[int] = iter(range(step))

            def counted(change: Callable[..., Any]) -> Callable[..., Any]:
                def change_or_die(*arguments: Any, **named: Any) -> Any:
                    if next(left, None) is None:
                        os.kill(os.getpid(), signal.SIGKILL)
                    return change(*arguments, **named)

                return change_or_die

            for name in ("replace", "rename", "unlink", "rmdir", "fsync"):
                setattr(os, name, counted(getattr(os, name)))
            do()
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0
