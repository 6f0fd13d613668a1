"""The receipts that a configuration asks for, given what lies in its output folder.

Imports are light, since the Snakefile asks here at every start.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from imagenet_prep.datasets import synthetic
from imagenet_prep.engine import archive_paths, batches, runs
from imagenet_prep.engine.batches import Batch
from imagenet_prep.engine.inventory import Inventory
from imagenet_prep.engine.receipts import ARCHIVES, FETCHED, PROBLEM, STATE, Name, digest, load, names
from imagenet_prep.engine.step import ALL, Batched, Config, Need, Step
from imagenet_prep.engine.table_steps import SCAN_VERSION, expected
from imagenet_prep.errors import PrepError

MADE_UP = "made-up"
"""The subject of the receipt of archives that the workflow makes up itself."""


class Provenance:
    """The receipts that a configuration asks for, given what lies in its output folder.

    The disk is looked at once, so that every answer is the same for the whole of a run but for one thing: what
    an archive holds is known only when it has been scanned.

    Attributes:
        config: the configuration, complete.
        steps: all steps by name.
        answers: all that was asked and answered, for processes that have to give the same answers.
        note: called when an answer is new, or another one than before.
    """

    def __init__(self, config: Config, steps: Mapping[str, Step], given: Mapping[str, Any] | None = None) -> None:
        """Look at what `config` asks for; `given` are the `answers` of another process, which count."""
        self.config = config
        self.steps = steps
        self.output_dir = Path(config["output_dir"])
        self.state = self.output_dir / STATE
        self.answers: dict[str, Any] = {"numbers": {}, "batches": {}}
        self._given: Mapping[str, Any] = {"numbers": {}, "batches": {}, **(given or {})}
        self._inventory = Inventory(self.output_dir)
        self._places: dict[str, Path | None] = {}
        self._contents: dict[str, str] = {}
        self._digests: dict[tuple[str, str, bool], str] = {}
        self._archives: dict[tuple[str, str], list[str]] = {}
        self._asked: set[tuple[str, ...]] = set()
        self._made_up_files: set[str] | None = None
        self._seen = runs.archives_of_form_1(self.output_dir)
        self.note: Callable[[], None] = lambda: None

    def settings(self, step: str, subject: str = ALL) -> dict[str, Any]:
        """The settings of a job."""
        return self.steps[step].settings(self.config, subject)

    def needs(self, step: str, subject: str = ALL) -> list[Need]:
        """The steps that it follows from."""
        return self.steps[step].needs(self.config, subject)

    def digest(self, step: str, subject: str = ALL, *, layout: bool = True) -> str:
        """What the name of a receipt has of the step's version and settings and of all that it needs."""
        key = step, subject, layout
        if key not in self._digests:
            it = self.steps[step]
            needs = [self.digest(*need, layout=False) for need in it.needs(self.config, subject)]
            settings = it.settings(self.config, subject)
            form = [it.layout, it.form(self.config, subject)] if layout else []
            self._digests[key] = digest(step, it.version, form, settings, needs)
        return self._digests[key]

    def archives(self, step: str, subject: str = ALL) -> list[str]:
        """All archives that this is made from, however indirectly."""
        key = step, subject
        if key not in self._archives:
            it = self.steps[step]
            found = {*it.reads(self.config, subject), *it.shows(self.config, subject)}
            for need in it.needs(self.config, subject):
                found.update(self.archives(*need))
            self._archives[key] = sorted(found)
        return list(self._archives[key])

    def receipt(self, step: str, subject: str = ALL) -> Path:
        """The receipt that tells that this has been made as it is asked for now."""
        self._asked.add(("receipt", step, subject))
        return self._receipt(step, subject, self.digest(step, subject), self.archives(step, subject))

    def batches(self, product: str, split: str, *, by_name: bool = False) -> list[Path]:
        """The receipts of all batches of a split, in order: those that are there, and new ones as configured.

        None of a split that cannot be made of what lies there in the place of its archive, which is known for sure when
        that has been scanned, unless somebody has asked for it `by_name`: its job then says so, and fails.
        """
        step = self.steps[product]
        assert isinstance(step, Batched)
        if not by_name and step.obstacle(self.config, split):
            return []
        self._asked.add(("batches", product, split))
        total, of_split = step.count(self.config, split), self.digest(product, split)
        key = f"{product}/{split}.{of_split}"
        cut = self.answers["batches"].get(key) or self._given["batches"].get(key)
        if cut is None:
            found = [batches.parse(it) for it, of in self._inventory.newest(product) if of == of_split]
            kept = [it[1] for it in found if it and (it[0], it[2]) == (split, total)]
            cut = batches.cover(total, step.batch_size(self.config, split, self._sizes(product, split)), kept)
        self.answers["batches"][key] = cut
        archives = self.archives(product, split)
        return [
            self._receipt(product, batches.name(split, (first, last), total), of_split, archives) for first, last in cut
        ]

    def overlapping(self, product: str, split: str, wanted: Batch) -> list[Path]:
        """The receipts of the batches of a split in which some of these units are."""
        subjects = {path: Name.parse(path.name) for path in self.batches(product, split)}
        cut = {path: batches.parse(name.subject) for path, name in subjects.items() if name}
        return [path for path, batch in cut.items() if batch and batches.overlap(wanted, batch[1])]

    def archive_receipts(self, step: str, subject: str) -> list[Path]:
        """The receipts of the archives that a job is made from, less those gone that it does not read."""
        read = self.steps[step].reads(self.config, subject)
        return [self.archive_receipt(it) for it in self.archives(step, subject) if it in read or self.is_wanted(it)]

    def archive_receipt(self, name: str) -> Path:
        """The receipt of the scan, or the verification, of an archive as it is now."""
        self._asked.add(("archive_receipt", name))
        of = self._archive_digest(name)
        newest = self._inventory.number(ARCHIVES, name, of)
        return self._fixed(ARCHIVES, name, of, newest, lambda: self._is_as_scanned(name, of))

    def has_needs_of(self, step: str) -> bool:
        """Whether all that a step of one job is made from exists as it is asked for now, down to the archives."""
        there = [self.archive_receipt(name) for name in self.archives(step) if self.is_wanted(name)]
        left, seen = self.needs(step), set()
        while left:
            need = left.pop()
            if need not in seen:
                seen.add(need)
                left += self.needs(*need)
                there += self.batches(*need) if isinstance(self.steps[need[0]], Batched) else [self.receipt(*need)]
        return all(path.exists() for path in there)

    def is_wanted(self, name: str) -> bool:
        """Whether an archive is asked for by itself: it exists, or was never seen.

        One that was taken away is asked for only by a job that has to read it: what was made of it stays good.
        """
        seen = name in self._seen or self._older_content(name)
        return self.archive(name) is not None or not seen or archive_paths.is_outdated(self.config, name)

    def archive(self, name: str) -> Path | None:
        """Where an archive lies; None where it is not there."""
        if name not in self._places:
            self._places[name] = archive_paths.find(self.config, name)
        return self._places[name]

    def last_fetched(self, name: str) -> Path | None:
        """The newest receipt that tells of an archive's being there; None where there is none."""
        of = digest(FETCHED, self.config["archives"][name]["file"])
        newest = self._inventory.number(FETCHED, name, of)
        return self.state / FETCHED / str(Name(name, of, newest)) if newest else None

    def fetched(self, name: str) -> Path:
        """The receipt that tells that an archive is there, and that the link to it leads there."""
        self._asked.add(("fetched", name))
        of = digest(FETCHED, self.config["archives"][name]["file"])
        newest = self._inventory.number(FETCHED, name, of)
        return self._fixed(FETCHED, name, of, newest, lambda: self._is_linked(name))

    def made_up(self) -> Path | None:
        """The receipt of the made-up archives, which lies beside them; None where the configuration has real ones."""
        if not self.config["synthetic"]:
            return None
        self._asked.add(("made_up",))
        folder, of = Path(self.config["archives_dir"]), self._made_up_digest()
        newest = max((it.number for it in self._made_up_names() if it.digest == of), default=0)
        complete = all(self.archive(name) and self._is_made_up(name) for name in self.config["use"])
        key = f"{MADE_UP}.{of}"
        number = (
            self.answers["numbers"].get(key) or self._given["numbers"].get(key) or newest + (not complete or not newest)
        )
        self.answers["numbers"][key] = number
        return folder / str(Name(MADE_UP, of, number))

    def makes_up(self, name: str) -> bool:
        """Whether an archive is still to be made up: it is not there, or was made with other settings."""
        if not self.config["synthetic"]:
            return False
        return self.archive(name) is None or not self._is_made_up(name)

    def agrees(self) -> bool:
        """Whether the same answers follow from the disk as it is now."""
        again = Provenance(self.config, self.steps)
        again.answers["batches"] = self.answers["batches"]
        for method, *arguments in self._asked:
            getattr(again, method)(*arguments)
        return again.answers == self.answers and again._inventory.listed == self._inventory.listed

    def _receipt(self, step: str, subject: str, of: str, archives: list[str]) -> Path:
        key = f"{step}/{subject}.{of}"
        number = self._given["numbers"].get(key)
        if number is None:
            number = self._inventory.number(step, subject, of)
            number += not (number and self._stands(step, subject, of, archives))
        if self.answers["numbers"].get(key) != number:
            self.answers["numbers"][key] = number
            self.note()
        return self.state / step / str(Name(subject, of, number))

    def _stands(self, step: str, subject: str, of: str, archives: list[str]) -> bool:
        """Whether all is there that was made, of what the archives hold and of what lies there unasked."""
        body = self._inventory.body(step, subject, of)
        if body is None or not self._inventory.is_whole(step, subject, of):
            return False
        made_from, known = body.get("archives", {}), {name: self._content(name) for name in archives}
        if any(content and made_from.get(name) != content for name, content in known.items()):
            return False
        return bool(body.get("told", {}) == self.steps[step].told(self.config, subject))

    def _sizes(self, product: str, split: str) -> dict[str, int]:
        """The sizes in bytes of the archives that are there, of those that a product is made from."""
        there = {name: self.archive(name) for name in self.archives(product, split)}
        return {name: path.stat().st_size for name, path in there.items() if path and path.is_file()}

    def _content(self, name: str) -> str | None:
        """What an archive holds, by its scan; None where it has never been scanned."""
        if name not in self._contents:
            receipt = self.archive_receipt(name)
            if receipt.exists():
                body = json.loads(receipt.read_text(encoding="utf-8"))
                if PROBLEM not in body:
                    self._contents[name] = str(body["content"])
        return self._contents.get(name) or self._older_content(name)

    def _older_content(self, name: str) -> str | None:
        """What the newest receipts say that it held; those that fit the configuration come first."""
        own = self._archive_digest(name)
        seen = [of for subject, of in self._inventory.newest(ARCHIVES) if subject == name]
        bodies = [self._inventory.body(ARCHIVES, name, of) for of in sorted(seen, key=lambda it: it != own)]
        return next((str(body["content"]) for body in bodies if body and "content" in body), None)

    def _archive_digest(self, name: str) -> str:
        return digest(ARCHIVES, SCAN_VERSION, self.config["archives"][name]["file"], expected(self.config, name))

    def _is_as_scanned(self, name: str, of: str) -> bool:
        body, archive = self._inventory.body(ARCHIVES, name, of), self.archive(name)
        if body is None or archive is None or not self._inventory.is_whole(ARCHIVES, name, of):
            return False
        return body.get("stat") == archive_paths.stat(archive) and not self.makes_up(name)

    def _is_linked(self, name: str) -> bool:
        archive = self.archive(name)
        return archive is not None and archive_paths.is_linked(self.config, name, archive) and not self.makes_up(name)

    def _fixed(self, step: str, subject: str, of: str, newest: int, stands: Callable[[], bool]) -> Path:
        """A receipt whose number does not change within a run."""
        key = f"{step}/{subject}.{of}"
        number = self.answers["numbers"].get(key) or self._given["numbers"].get(key)
        if number is None:
            number = newest + (not (newest and stands()))
        self.answers["numbers"][key] = number
        return self.state / step / str(Name(subject, of, number))

    def _made_up_digest(self) -> str:
        files = {name: settings["file"] for name, settings in self.config["archives"].items()}
        return digest(synthetic.VERSION, self.config["synthetic"], files)

    def _is_made_up(self, name: str) -> bool:
        """Whether a receipt says that an archive was made from these settings; its `others` are from other ones."""
        if self._made_up_files is None:
            self._made_up_files, own = set(), self._made_up_digest()
            for it in self._made_up_names():
                with contextlib.suppress(PrepError, OSError, KeyError, TypeError):
                    made = load(Path(self.config["archives_dir"], str(it)))["archives"] if it.digest == own else []
                    self._made_up_files.update(one["file"] for one in made)
        return self.config["archives"][name]["file"] in self._made_up_files

    def _made_up_names(self) -> list[Name]:
        return [it for it in names(Path(self.config["archives_dir"])) if it.subject == MADE_UP]
