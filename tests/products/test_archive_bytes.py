"""What a check finds in archives that an index points into."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builders import is_one_line
from imagenet_prep.errors import PrepError
from imagenet_prep.products.audit.archive_bytes import check_archive
from imagenet_prep.products.audit.facts import Facts
from products.audited import World


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    world = World(tmp_path)
    world.config["archives"]["train"]["file"] = "train.tar"
    return Facts(world.config, ["train"])


def archive_of(facts: Facts) -> Path:
    return Path(facts.config["archives_dir"]) / "train.tar"


def test_an_archive_as_it_was_scanned_has_no_problem(facts: Facts) -> None:
    check = check_archive(facts, "train", 1)
    assert check is not None
    table = facts.images("train").read(["length"])
    assert (check.figures, check.problems) == (
        {"images": len(table), "bytes": sum(table["length"].to_pylist())},
        [],
    )


@pytest.mark.parametrize("damage", ["a bit", "its end"])
def test_a_changed_archive_is_named_with_the_image_whatever_its_time(facts: Facts, damage: str) -> None:
    archive = archive_of(facts)
    image = facts.images("train").read(["filename", "offset", "length"]).sort_by("offset").to_pylist()[-1]
    stat, content = archive.stat(), bytearray(archive.read_bytes())
    if damage == "a bit":
        content[image["offset"] + image["length"] // 2] ^= 1
    else:
        del content[image["offset"] + 1 :]
    archive.write_bytes(content)
    os.utime(archive, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    check = check_archive(facts, "train", 1)
    assert check is not None
    (problem,) = check.problems
    assert problem.text.startswith(f"{archive}, ")
    assert (image["filename"] in problem.text) == (damage == "a bit")
    assert problem.mend.startswith("put the right archive in its place, then ")
    assert problem.mend.endswith(" verify")
    assert is_one_line(PrepError("check", problem.text, problem.mend))


def test_of_an_archive_that_was_taken_away_nothing_is_said_but_that(
    facts: Facts, caplog: pytest.LogCaptureFixture
) -> None:
    archive_of(facts).unlink()
    caplog.set_level("INFO")
    assert check_archive(facts, "train", 1) is None
    assert "archive train is not there" in caplog.text
