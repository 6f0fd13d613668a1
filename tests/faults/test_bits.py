"""A few of the damages of the soak, at other places every time the tests change; `make soak` does thousands."""

from __future__ import annotations

from faults.bits import Attack
from project import Project


def test_no_damage_is_passed_over(project: Project) -> None:
    before = project.products()
    figures = Attack(project, seed=20).run(32)
    assert figures.silent == []
    assert figures.detected.total() >= 20
    assert set(figures.detected) == {
        "archive",
        "archive after its verification",
        "product",
        "table of the workflow's own",
    }
    assert project.products() == before, "each damage was taken back"
