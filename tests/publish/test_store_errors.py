"""What failed is tried again where that may help, and told without what belongs into no log."""

from __future__ import annotations

import threading

import pytest

from imagenet_prep.publish.retries import Retries
from imagenet_prep.publish.store_errors import Interrupted, failure_of


class Waits(threading.Event):
    """An event for which nobody waits, but how long they would have is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.waits.append(timeout)
        return self.is_set()


def test_an_action_is_tried_again_with_growing_waits_until_it_succeeds() -> None:
    stopping = Waits()
    answers = iter([Interrupted("busy"), Interrupted("busy"), Interrupted("busy"), None])

    def action() -> str:
        if failure := next(answers):
            raise failure
        return "done"

    retries = Retries(attempts=4, backoff=10, longest=1000)
    assert retries.attempt("a file", action, stopping) == "done"
    assert [low <= wait <= low * 2 for low, wait in zip((5, 10, 20), stopping.waits, strict=True)] == [True] * 3


def test_nobody_waits_for_another_attempt_when_all_is_stopping() -> None:
    stopping = Waits()
    stopping.set()

    def action() -> None:
        raise Interrupted("busy")

    with pytest.raises(Interrupted):
        Retries().attempt("a file", action, stopping)
    assert stopping.waits == []


def test_a_signature_in_an_address_is_not_told() -> None:
    failure = failure_of(OSError("GET https://example.org/x?sig=hidden&se=1 failed"))
    assert failure is not None
    assert failure.problem == "the transfer failed: GET https://example.org/x failed"


@pytest.mark.parametrize(
    "error", [TypeError("x"), KeyError("x"), AttributeError("x")], ids=lambda error: str(type(error))
)
def test_a_fault_of_a_program_is_not_explained_away(error: Exception) -> None:
    assert failure_of(error) is None
