"""Threads that work off a list side by side, and stop at the first failure or interruption."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def each(
    work: Callable[[Task, threading.Event], Result],
    tasks: Sequence[Task],
    size: int,
    tick: float,
    ticked: Callable[[], None],
) -> Iterator[Result]:
    """The results of `work(task, stopping)`, as they come.

    The threads are daemons: whoever presses Ctrl-C need not wait until gigabytes have gone. After the first error no
    other task begins, and `stopping` is set.

    Args:
        work: is called in the threads.
        tasks: what to call it with, in this order.
        size: how many threads there are.
        tick: seconds after which `ticked` is called, again and again.
        ticked: shows how far it is.

    Raises:
        Exception: the first that `work` raised.
    """
    waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
    for task in tasks:
        waiting.put(task)
    done: queue.SimpleQueue[tuple[Result | None, Exception | None]] = queue.SimpleQueue()
    stopping = threading.Event()

    def run() -> None:
        while not stopping.is_set():
            try:
                task = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((work(task, stopping), None))
            except Exception as error:
                stopping.set()
                done.put((None, error))

    for _ in range(min(size, len(tasks))):
        threading.Thread(target=run, daemon=True).start()
    try:
        missing = len(tasks)
        while missing:
            try:
                result, error = done.get(timeout=tick)
            except queue.Empty:
                ticked()
                continue
            if error:
                raise error
            missing -= 1
            ticked()
            yield result  # type: ignore[misc]  # None only where work returns it
    finally:
        stopping.set()
