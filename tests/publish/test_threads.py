"""Threads that work off a list: each task once, all results, and an end at the first error."""

from __future__ import annotations

import threading

import pytest

from imagenet_prep.publish.threads import each


def test_each_task_is_done_once_with_as_many_threads_as_wanted() -> None:
    barrier = threading.Barrier(3)

    def work(task: int, _: threading.Event) -> int:
        barrier.wait(30)  # passes only while three are at work
        return task * task

    assert sorted(each(work, range(6), 3, 0.01, lambda: None)) == [0, 1, 4, 9, 16, 25]


def test_the_first_error_ends_it_and_no_other_task_begins() -> None:
    begun = []

    def work(task: int, stopping: threading.Event) -> None:
        begun.append(task)
        if task == 1:
            raise ValueError("task 1")
        assert stopping.wait(30)

    with pytest.raises(ValueError, match="task 1"):
        list(each(work, range(100), 2, 0.01, lambda: None))
    assert sorted(begun) == [0, 1]


def test_nothing_to_do_is_done_at_once() -> None:
    assert list(each(lambda task, _: task, [], 8, 0.01, lambda: None)) == []
