"""All products: each by its own name, and no name stands for two things."""

from __future__ import annotations

import subprocess
import sys

import pytest

from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.products.registry import (
    ALL_PRODUCTS,
    DEFAULT_PRODUCTS,
    FORMER_KEYS,
    FORMER_NAMES,
    FORMER_TARGETS,
    PRODUCTS,
    SPLIT_PRODUCTS,
    STEPS,
)


def test_products_and_steps_are_known_by_their_own_names() -> None:
    for of in (PRODUCTS, SPLIT_PRODUCTS, STEPS):
        assert [it.name for it in of.values()] == list(of)
    assert len({product.name for product in ALL_PRODUCTS}) == len(ALL_PRODUCTS)


def test_no_two_steps_have_one_rule() -> None:
    rules = [step.rule for step in STEPS.values() if step.rule]
    assert len(set(rules)) == len(rules)


def test_every_product_is_a_step_and_what_is_made_by_default_is_a_product() -> None:
    assert {product.name for product in ALL_PRODUCTS} <= STEPS.keys()
    assert set(DEFAULT_PRODUCTS) <= PRODUCTS.keys()


def test_a_former_name_is_none_of_today_and_leads_to_one_that_is() -> None:
    targets = PRODUCTS.keys() | {
        f"{name}_{split}" for name, product in SPLIT_PRODUCTS.items() for split in product.splits(ILSVRC2012)
    }
    assert FORMER_NAMES.keys().isdisjoint(PRODUCTS)
    assert set(FORMER_NAMES.values()) <= PRODUCTS.keys()
    assert FORMER_TARGETS.keys().isdisjoint(targets)
    rules = {step.rule for step in STEPS.values()}
    assert set(FORMER_TARGETS.values()) <= targets | rules
    assert FORMER_TARGETS.keys().isdisjoint(rules)
    assert all(new.startswith("shards.") for new in FORMER_KEYS.values())


@pytest.mark.parametrize("name", SPLIT_PRODUCTS)
def test_the_places_of_a_product_are_its_own(name: str) -> None:
    product = SPLIT_PRODUCTS[name]
    assert product.path == f"{name}/"
    assert all(place.startswith(product.path) for place in product.places(ILSVRC2012))
    assert all(product.place(ILSVRC2012, split).startswith(product.path) for split in product.splits(ILSVRC2012))


def test_what_every_start_of_snakemake_imports_is_light() -> None:
    """What only jobs need is imported by jobs: each of these takes longer than all the rest."""
    program = """
import sys
import imagenet_prep.configuration, imagenet_prep.run
for_jobs = {"PIL", "array_record", "crc32c", "ijson", "numpy", "pandas", "pyarrow"}
print(sorted(for_jobs & sys.modules.keys()))
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
