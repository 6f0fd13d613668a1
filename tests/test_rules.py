"""The rules, as they stand in `workflow/rules`: what they tell a script is what it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
RULES = CHECKOUT / "workflow" / "rules"
SCRIPTS = CHECKOUT / "workflow" / "scripts"
# What `making` reads for the receipt, which a script then need not read itself.
OF_RECEIPTS = {"settings", "archives"}


def scripted_rules() -> dict[str, str]:
    """By the name of its script, the text of each rule that has one."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(RULES.glob("*.smk")))
    begin = re.compile(r"^(?= *(?:rule|checkpoint)(?: \w+)?:)", re.MULTILINE)
    found = [part for text in texts for part in begin.split(text)[1:]]
    return {matched[1]: part for part in found if (matched := re.search(r"scripts/(\w+\.py)", part))}


def params_of(rule: str) -> set[str]:
    section = re.search(r"^( +)params:\n((?:\1    .*\n)+)", rule, re.MULTILINE)
    return set(re.findall(rf"^{section[1]}    (\w+)=", section[2], re.MULTILINE)) if section else set()


@pytest.mark.parametrize("script", scripted_rules())
def test_every_param_of_a_rule_is_read_by_its_script(script: str) -> None:
    text = (SCRIPTS / script).read_text(encoding="utf-8")
    read = set(re.findall(r"params\.(\w+)", text)) | (OF_RECEIPTS if "making(snakemake" in text else set())
    assert params_of(scripted_rules()[script]) - read == set()


def test_every_script_has_a_rule_and_every_rule_its_script() -> None:
    assert {path.name for path in SCRIPTS.glob("*.py")} == scripted_rules().keys()
