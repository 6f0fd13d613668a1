"""What people see of the problems that an audit found: the first of each kind, and how many there are."""

from __future__ import annotations

import shlex

import pytest

from imagenet_prep.errors import PrepError
from imagenet_prep.products.audit.findings import SHOWN, Check, Findings, as_json, as_text, expect_no_problem

MANY = [f"image {number}" for number in range(10 * SHOWN)]


def check_of_two_kinds() -> Check:
    check, findings = Check("records"), Findings()
    for start in range(0, len(MANY), 7):
        findings.add("changed", MANY[start : start + 7], "rm {}")
    check.add_findings(findings)
    check.add_each("missing", MANY, "make {}")
    check.add("a table is damaged", "make it")
    return check


def test_the_first_of_each_kind_are_shown_and_the_rest_as_a_number() -> None:
    text = as_text([check_of_two_kinds()])
    for kind, mend in (("changed", "rm"), ("missing", "make")):
        lines = [line.strip() for line in text.splitlines() if line.endswith(f": {kind}")]
        rest = f"and {len(MANY) - SHOWN} more like {MANY[SHOWN]}: {kind}"
        assert lines == [*(f"{name}: {kind}" for name in MANY[:SHOWN]), rest]
        assert f"mend: {mend} {shlex.quote(MANY[SHOWN])}\n" in text
    assert "a table is damaged" in text


def test_the_report_says_what_the_terminal_says() -> None:
    check = check_of_two_kinds()
    (written,) = as_json([check], 1)["checks"]
    assert [it["problem"] for it in written["problems"]] == [
        line.strip() for line in as_text([check]).splitlines()[1:] if not line.strip().startswith("mend: ")
    ]


def test_problems_noted_one_by_one_are_shown_by_kind_too() -> None:
    check = Check("shards")
    for name in MANY:
        check.add(f"{name}, byte 7: damaged", f"rm {name}", kind="shard")
    check.add("the last", "make it")
    assert [problem.text for problem in check.shown][SHOWN:] == [
        f"and {len(MANY) - SHOWN} more like {MANY[SHOWN]}, byte 7: damaged",
        "the last",
    ]


def test_the_last_line_counts_what_is_wrong_and_not_the_lines_about_it() -> None:
    checks = [check_of_two_kinds(), Check("labels"), Check("boxes")]
    checks[2].add("another", "make it")
    with pytest.raises(PrepError) as caught:
        expect_no_problem(checks, "check")
    assert f"(the first of {2 * len(MANY) + 2} problems, in records, boxes; " in str(caught.value)


def test_a_single_problem_is_the_whole_line() -> None:
    check = Check("labels")
    check.add("labels/: damaged", "make labels")
    with pytest.raises(PrepError, match=r"^check: labels/: damaged\. To mend it: make labels\.$"):
        expect_no_problem([check], "check")
