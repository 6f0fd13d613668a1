"""Windows of neighbours in random order: every image once an epoch, in few stretches of the archive at a time."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagenet_prep.reading import BlockShuffle, Images
from project import Project

sizes = st.integers(1, 80)


@pytest.fixture(scope="module")
def images(finished: Project) -> Images:
    return Images(finished.results)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(window=sizes, mixed=sizes, replicas=st.integers(1, 7), seed=st.integers(0, 3))
def test_an_epoch_has_every_image_and_each_process_as_many(
    images: Images, window: int, mixed: int, replicas: int, seed: int
) -> None:
    samplers = [BlockShuffle(images, window, mixed, seed, replicas, rank) for rank in range(replicas)]
    parts = [list(sampler) for sampler in samplers]
    assert {len(part) for part in parts} == {len(samplers[0])}
    together = sorted(number for part in parts for number in part)
    assert set(together) == set(range(len(images)))
    assert len(together) - len(images) < replicas


@pytest.mark.parametrize(("window", "mixed"), [(6, 1), (5, 2), (4, 3)])
def test_what_is_mixed_comes_from_so_many_stretches_of_the_archive(images: Images, window: int, mixed: int) -> None:
    place = np.empty(len(images), np.int64)
    place[np.argsort(images.offsets)] = np.arange(len(images))
    order = place[list(BlockShuffle(images, window, mixed))]
    stretches = [
        len(set((order[start : start + window * mixed] // window).tolist()))
        for start in range(0, len(order), window * mixed)
    ]
    assert max(stretches) <= mixed + 1  # the last window, which is short, may come before
    assert order.tolist() != sorted(order.tolist())


def test_the_order_follows_from_seed_and_epoch(images: Images) -> None:
    sampler = BlockShuffle(images, 4, 2, seed=5)
    first = list(sampler)
    assert list(sampler) == first
    assert list(pickle.loads(pickle.dumps(sampler))) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    assert list(BlockShuffle(images, 4, 2, seed=6)) != first


def test_each_image_is_read_ahead_before_it_comes(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[int] = set()
    monkeypatch.setattr(Images, "will_need", lambda self, numbers: asked.update(numbers.tolist()))
    ahead = []
    for number in BlockShuffle(images, 3, 4):
        assert number in asked
        ahead.append(len(asked))
    assert ahead[0] < len(images)


@pytest.mark.parametrize("wrong", [{"window": 0}, {"mixed": 0}, {"num_replicas": 2, "rank": 2}, {"rank": -1}])
def test_settings_that_mean_nothing_are_refused(images: Images, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        BlockShuffle(images, **wrong)
