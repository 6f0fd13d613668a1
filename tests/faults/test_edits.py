"""A few of the edits of the soak, at other places every time the tests change; `make soak` makes a thousand."""

from __future__ import annotations

from faults.edits import Attack
from project import Project


def test_no_edit_is_blessed(project: Project) -> None:
    figures = Attack(project, seed=20).run(8)
    assert figures.faults == []
    assert figures.edits == 8
