"""The pages say what the workflow does."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from markdown_it import MarkdownIt
from snakemake.cli import get_argument_parser, parse_config

from configuration.official import overlaid
from imagenet_prep.configuration import complete
from imagenet_prep.datasets import box_annotations
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.products.registry import PRODUCTS, SPLIT_PRODUCTS, STEPS
from project import Project

CHECKOUT = Path(__file__).resolve().parent.parent
PAGES = [
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(CHECKOUT / name for name in ("config/README.md", "benchmarks/README.md")),
    *sorted((CHECKOUT / "docs").glob("*.md")),
]
PROGRAM = re.compile(r"(?:^|(?<=[\s'\"]))((?:[\w.-]+/)*snakemake) +(?=\S)")
PROGRAMS = (".venv/bin/snakemake", ".venv-cluster/bin/snakemake", "imagenet-prep/.venv/bin/snakemake")
RULES = {
    name
    for path in (CHECKOUT / "Snakefile", *(CHECKOUT / "workflow" / "rules").glob("*.smk"))
    for name in re.findall(r"^\s*(?:rule|checkpoint) (\w+):", path.read_text(), re.MULTILINE)
}
# And those that are generated.
RULES |= PRODUCTS.keys() | {step.rule for step in STEPS.values() if step.rule}
RULES |= {f"{name}_{split}" for name, product in SPLIT_PRODUCTS.items() for split in product.splits(ILSVRC2012)}
SCORES = re.compile(r"(demo/)?results/scores/[^/]+\.json")  # the one file that is asked for by its name
FORMATS = CHECKOUT / "docs" / "formats.md"
TABLES = ["tables/images.parquet", "tables/bboxes.parquet", "tables/multilabel.parquet", "labels/synsets.parquet"]


def section(page: str, heading: str) -> str:
    """The text below a heading of the second level, up to the next one."""
    return page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def named(kind: pa.DataType) -> str:
    """What the page calls a type."""
    return f"list of {kind.value_type}" if pa.types.is_list(kind) else str(kind)


@pytest.mark.parametrize("table", TABLES)
def test_the_columns_of_a_table_are_those_on_the_page(table: str, finished: Project) -> None:
    columns = section(FORMATS.read_text(), table).partition("\n\nThe words of `problem`")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([a-z0-9 ]+) \|", columns, re.MULTILINE)
    assert rows == [(field.name, named(field.type)) for field in pq.read_schema(finished.results / table)]


def test_every_problem_of_a_box_is_on_the_page_and_whether_it_is_used() -> None:
    text = section(FORMATS.read_text(), "tables/bboxes.parquet")
    rows = dict(re.findall(r"^\| `([^`]+)` \| (yes|no) \|", text, re.MULTILINE))
    assert rows == {
        problem: "no" if problem in box_annotations.UNUSABLE else "yes" for problem in box_annotations.PROBLEMS
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    tokens = [child for it in MarkdownIt("commonmark").parse(page.read_text()) for child in it.children or []]
    targets = [str(it.attrs.get("href") or it.attrs.get("src") or "") for it in tokens]
    for target in targets:
        path, _, anchor = target.partition("#")
        if not target or "://" in target:
            continue
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", it.lower()).replace(" ", "-") for it in headings}, target


def test_the_picture_of_the_workflow_is_the_one_of_its_rules() -> None:
    command = [sys.executable, "docs/rulegraph.py", "--check"]
    run = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.fixture
def drawn() -> ModuleType:
    """What draws the picture, with three boxes of its own."""
    spec = importlib.util.spec_from_file_location("rulegraph", CHECKOUT / "docs" / "rulegraph.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.STEPS = {"a": ("A", ["scan", "verify"]), "b": ("B", ["plan"]), "c": ("C", ["write"])}  # type: ignore[attr-defined]
    return module


def test_an_arrow_of_the_picture_is_one_between_rules_unless_a_longer_way_says_the_same(drawn: ModuleType) -> None:
    lines = drawn.picture({("verify", "scan"), ("scan", "plan"), ("plan", "write"), ("verify", "write")}).splitlines()
    assert [line.strip() for line in lines if "-->" in line] == ["a --> b", "b --> c"]
    lines = drawn.picture({("verify", "scan"), ("scan", "plan"), ("verify", "write")}).splitlines()
    assert [line.strip() for line in lines if "-->" in line] == ["a --> b", "a --> c"]


def test_a_rule_that_is_in_no_box_of_the_picture_is_named(drawn: ModuleType) -> None:
    edges = {("verify", "scan"), ("scan", "plan"), ("plan", "write"), ("plan", "write_mds")}
    with pytest.raises(SystemExit, match="write_mds"):
        drawn.picture(edges)


def commands(page: Path) -> list[tuple[str, list[str]]]:
    """Every call of snakemake on a page, in code blocks and in lines: the program and its arguments."""
    found = []
    for token in MarkdownIt("commonmark").enable("table").parse(page.read_text()):
        codes = [re.sub(r"\s#.*", "", token.content)] if token.type == "fence" and token.info in ("", "sh") else []
        codes += [child.content for child in token.children or [] if child.type == "code_inline"]
        for line in (line for code in codes for line in code.replace("\\\n", " ").splitlines()):
            call = PROGRAM.search(line)
            if call:
                # Nothing behind a quote that encloses the whole call is an argument.
                enclosing = line[: call.start()][-1:]
                rest = line[call.end() :].partition(enclosing)[0] if enclosing in ("'", '"') else line[call.end() :]
                rest = re.sub(r"<[^>]*>", "name", rest.replace("--cores N", "--cores 1"))
                found.append((call[1], shlex.split(rest)))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_call_of_snakemake_on_a_page_says_what_snakemake_needs_and_asks_for_what_there_is(page: Path) -> None:
    for program, arguments in commands(page):
        given = get_argument_parser().parse_args(arguments)
        call = " ".join([program, *arguments])
        assert program in PROGRAMS, call
        assert given.cores or given.profile or given.dryrun or given.unlock or given.lint, f"{call}: without --cores"
        for name in (*given.targets, *given.forcerun):
            assert name in RULES or SCORES.fullmatch(name), f"{call}: {name} is no rule"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_configuration_in_a_call_on_a_page_is_understood(page: Path, tmp_path: Path) -> None:
    (tmp_path / "imagenet100.txt").write_text("n01440764\n")
    for _, arguments in commands(page):
        complete(overlaid(parse_config(get_argument_parser().parse_args(arguments).config)), tmp_path)


def test_calls_of_snakemake_are_found_on_the_pages() -> None:
    calls = [" ".join(arguments) for page in PAGES for _, arguments in commands(page)]
    assert {"--cores 8", "--unlock", "--cores 1 labels", "--profile profiles/slurm", "--cores 16"} <= set(calls)
