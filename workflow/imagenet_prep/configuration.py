"""The configuration: checked against its schema and its own rules, completed with its defaults.

The keys, their types, ranges and defaults are in the schema that ``schema.py`` puts together; what is known of the
archives is in the declaration of the data set. Here is what a schema cannot say.
Imports are light, since the Snakefile calls this at every start.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema

from imagenet_prep import configured_paths
from imagenet_prep.class_list import WNID, read_class_list
from imagenet_prep.configured_paths import Problem
from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.datasets.dataset import Dataset
from imagenet_prep.errors import PrepError
from imagenet_prep.products.registry import FORMER_KEYS, FORMER_NAMES, PRODUCTS, packed_problems
from imagenet_prep.schema import copied, fill_defaults, give_types, load, resolved

_DEPTH_LIMIT = 8


def complete(config: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Check a configuration and fill in what it leaves out.

    Args:
        config: the merged configuration, as Snakemake holds it.
        base: the folder that relative paths in it start from.

    Returns:
        A plain dict that holds every key of the schema; ``classes`` is None (all), or a sorted list of WNIDs, whether
        it was given as a list or as a file, and what it says of archives is laid over their declarations. What was
        given as text has the type that its key wants. ``config`` stays as it is.

    Raises:
        PrepError: keys are unknown, missing or contradict each other, or values are wrong; a line for each problem.
    """
    _expect_plain(config, "")
    schema = load()
    completed = {key: copied(value) for key, value in config.items()}
    give_types(completed, schema, schema)
    problems = [*configured_paths.expand(completed)]
    unexpanded = {place for place, _, _ in problems}
    problems += (it for it in dict.fromkeys(_schema_problems(completed, schema)) if it[0] not in unexpanded)
    # A rule over several keys is worth asking only where each of them makes sense by itself.
    broken = {place.split(".")[0] for place, _, _ in problems}
    fill_defaults(completed, schema, schema)
    dataset = dataset_of({} if "synthetic" in broken else completed)
    if broken.isdisjoint({"archives"}):
        problems += _archive_problems(completed["archives"], dataset)
        completed["archives"] = _over_declaration(completed["archives"], dataset)
    if broken.isdisjoint({"use", "products"}):
        problems += _product_problems(completed["use"], completed["products"], dataset)
    if broken.isdisjoint({"keep_packed", "products"}):
        problems += packed_problems(completed["keep_packed"], completed["products"])
    if broken.isdisjoint({"output_dir", "archives_dir"}):
        output, archives = base / completed["output_dir"], base / completed["archives_dir"]
        for key in ("output_dir", "archives_dir"):
            problems += configured_paths.name_problems(key, completed[key], base)
        problems += configured_paths.folder_problems(output, archives, _linkable(dataset))
    if broken.isdisjoint({"predictions_dir"}):
        problems += configured_paths.name_problems("predictions_dir", completed["predictions_dir"], base)
        problems += configured_paths.file_problems("predictions_dir", base / completed["predictions_dir"])
    if broken.isdisjoint({"output_dir", "archives_dir", "publish"}) and completed["publish"]["url"] is not None:
        folders = [(key, base / completed[key]) for key in ("output_dir", "archives_dir")]
        problems += configured_paths.publish_problems(completed["publish"]["url"], base, folders)
    if broken.isdisjoint({"synthetic"}) and completed["synthetic"] is not None:
        problems += _synthetic_problems(completed["synthetic"])
    if broken.isdisjoint({"classes"}) and completed["classes"] is not None:
        wnids, class_problems = _classes(completed["classes"], base)
        completed["classes"] = wnids
        problems += class_problems
    if not problems:
        problems += filter(None, (PRODUCTS[name].refuses(completed) for name in completed["products"]))
    _raise_for(problems)
    return completed


def _expect_plain(value: object, place: str, depth: int = 0) -> None:
    """Refuse what YAML allows and no key can hold, so that all below can take the configuration for plain data."""
    key = f"configuration key {place or '(all)'}"
    if depth > _DEPTH_LIMIT:
        raise PrepError(key, "it is nested too deep, or in itself", "Write what config/README.md describes")
    if isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
        raise PrepError(key, f"{value[:60]!a} holds what is no text", "Write it without that")
    if isinstance(value, Mapping):
        for name, below in value.items():
            if not isinstance(name, str) or not _is_unicode(name):
                raise PrepError(key, f"the key {ascii(name)[:60]} in it is no text", "Write a name of config/README.md")
            _expect_plain(below, _join(place, name), depth + 1)
    elif isinstance(value, list):
        for below in value:
            _expect_plain(below, place, depth + 1)


def _is_unicode(text: str) -> bool:
    """Whether a text has no lone surrogates, which no file name can hold."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _raise_for(problems: list[Problem]) -> None:
    errors = [PrepError(f"configuration key {key}", problem, remedy) for key, problem, remedy in problems]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        lines = "\n  ".join(str(error).removesuffix(".") for error in errors)
        remedy = "config/README.md describes every key"
        raise PrepError("configuration", f"{len(errors)} problems\n  {lines}", remedy)


def _is_whole_number(_: object, value: object) -> bool:
    # JSON Schema takes 8.0 for an integer; a range() or a file name made of it would not.
    return isinstance(value, int) and not isinstance(value, bool)


def _schema_problems(config: dict[str, Any], schema: dict[str, Any]) -> Iterator[Problem]:
    base = jsonschema.Draft202012Validator
    whole_numbers = base.TYPE_CHECKER.redefine("integer", _is_whole_number)
    validator: Any = jsonschema.validators.extend(base, type_checker=whole_numbers)  # type: ignore[no-untyped-call]
    for error in sorted(validator(schema).iter_errors(config), key=lambda error: [str(step) for step in error.path]):
        yield from _problems_of(error, schema)


def _problems_of(error: Any, root: dict[str, Any]) -> Iterator[Problem]:
    """The problems, in words for a user, that one error of jsonschema stands for."""
    place = ".".join(step for step in error.path if isinstance(step, str))
    subschema = resolved(error.schema, root)
    value = error.instance
    if error.validator == "additionalProperties":
        known = sorted(subschema["properties"])
        for key in sorted(set(map(str, value)) - set(known)):
            if now := FORMER_KEYS.get(_join(place, key)):
                yield _join(place, key), f"this key is called {now} now", f"Write {now} in its place"
            else:
                yield _join(place, key), "this key is unknown", f"{_meant(key, known)} or remove it"
    elif error.validator == "required":
        for key in error.validator_value:
            if key not in value:
                expected = resolved(subschema["properties"][key], root)["description"]
                yield _join(place, key), "this key is missing", f"Write {expected}"
    elif error.validator == "uniqueItems" and (twice := [item for item in value if value.count(item) > 1]):
        yield place, f"{_shown(twice[0])} is in the list more than once", "Write it once"
    elif error.validator in ("minItems", "minLength"):
        yield place, f"{_shown(value)} is empty", f"Write {subschema['description']}"
    elif error.validator == "enum" and (now := FORMER_NAMES.get(str(value))) in error.validator_value:
        yield place, f"{value} is called {now} now", f"Write {now} in its place"
    elif error.validator == "enum" and isinstance(value, str):
        near = difflib.get_close_matches(value, error.validator_value, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        yield place, f"{_shown(value)} is not allowed here{hint}", f"Write {subschema['description']}"
    else:
        yield place or "(all)", f"{_shown(value)} is not allowed here", f"Write {subschema['description']}"


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _meant(key: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(key, known, 1)
    return f"Write {near[0]} if that is meant," if near else f"Write one of {', '.join(known)},"


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _over_declaration(archives: Mapping[str, Mapping[str, Any]], dataset: Dataset) -> dict[str, dict[str, Any]]:
    """The archives' settings: what the configuration gives, else what is published; a given checksum replaces both."""
    found = {}
    for name, archive in dataset.archives.items():
        given = archives.get(name, {})
        own = archive.settings()
        if given.get("md5") or given.get("sha256"):
            own |= {"md5": None, "sha256": None}
        found[name] = {**own, **given}
    return found


def _archive_problems(archives: Mapping[str, Mapping[str, Any]], dataset: Dataset) -> Iterator[Problem]:
    name_of_file: dict[str, str] = {}
    for name, archive in _over_declaration(archives, dataset).items():
        if archive["md5"] is not None and archive["sha256"] is not None:
            yield f"archives.{name}", "md5 and sha256 are both given", "Keep one of them and set the other to null"
        if (other := name_of_file.setdefault(archive["file"], name)) != name:
            problem = f"{_shown(archive['file'])} is also the file of archives.{other}"
            yield f"archives.{name}.file", problem, "Give each archive a file of its own"


def _product_problems(use: list[str], products: list[str], dataset: Dataset) -> Iterator[Problem]:
    if dataset.devkit not in use:
        yield "use", f"{dataset.devkit} is not in the list, and every product needs it", f"Add {dataset.devkit} to use"
    for product in products:
        missing = [" or ".join(it) for it in PRODUCTS[product].requires(dataset) if not set(it) & set(use)]
        if missing:
            names = " and ".join(missing)
            remedy = f"Add {names} to use, or remove {product} from products"
            yield "products", f"{product} is made from {names}, which use does not name", remedy


def _linkable(dataset: Dataset) -> list[str]:
    """The names in output_dir that may be links to another disk."""
    folders = {"state", "verified", "scores", "packed"}
    for product in PRODUCTS.values():
        folders |= {product.path.partition("/")[0], *(place.rstrip("/") for place in product.places(dataset))}
    return sorted(folders - {""})


def _synthetic_problems(synthetic: Mapping[str, int]) -> Iterator[Problem]:
    t3, classes = synthetic["train_t3_classes"], synthetic["classes"]
    if t3 > classes:
        yield "synthetic.train_t3_classes", f"{t3} is more than classes ({classes})", f"Write at most {classes}"


def _classes(given: list[str] | str, base: Path) -> tuple[list[str], list[Problem]]:
    if isinstance(given, list):
        named = [(wnid, "") for wnid in given]
    elif WNID.fullmatch(given):
        return [], [("classes", f"{given} is a WNID, not the name of a file", f"Write it as a list: [{given}]")]
    else:
        path = base / given
        try:
            named = [(wnid, f" in line {number} of {path}") for wnid, number in read_class_list(path)]
        except OSError as error:
            remedy = "Write a list of WNIDs, or the name of a file with one WNID a line"
            return [], [("classes", f"the file {path} cannot be read: {error.strerror}", remedy)]
        except ValueError as error:
            remedy = "Write a WNID into each line, the letter n and eight digits as in n01440764"
            return [], [("classes", str(error), remedy)]
    problems: list[Problem] = []
    seen: set[str] = set()
    for wnid, where in named:
        if wnid in seen:
            problems.append(("classes", f"{wnid}{where} is named twice", "Write it once"))
        seen.add(wnid)
    return sorted(seen), problems
