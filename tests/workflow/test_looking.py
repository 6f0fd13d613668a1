"""What only looks changes nothing, whatever lies there."""

from __future__ import annotations

from pathlib import Path

import clones
from project import OTHER, Project

OWN = ("logs",)

LOOKS = {
    "a dry run": ("-n",),
    "a dry run of one product": ("-n", "tfrecord_train"),
    "the list of rules": ("--list",),
    "the summary": ("--summary",),
    "the linter": ("--lint",),
    "an unlocking": ("--unlock",),
    "the space": ("space",),
    "the check": ("check",),
}


def damage(project: Project) -> None:
    """Have a link lead nowhere, a shard be gone, and a receipt of each kind too."""
    link = project.results / "archives" / "ILSVRC2012_img_val.tar"
    link.unlink()
    link.symlink_to("../../nowhere/ILSVRC2012_img_val.tar")
    clones.delete(project, "tfrecord/train-00001-*", "imagefolder/train/*[02468]")
    clones.delete(project, "state/archives/*devkit*", "state/**/*validation*.json")


def test_looking_changes_no_file_and_a_run_makes_what_is_missing(own: Project, own_finished: Project) -> None:
    damage(own)
    before = clones.snapshot(own.results, *OWN)
    runs = {}
    for look, arguments in LOOKS.items():
        runs[look] = own.run(*arguments)
        assert "Traceback" not in runs[look].terminal
        assert clones.snapshot(own.results, *OWN) == before, look
    assert "write_tfrecord" in runs["a dry run"].terminal
    assert runs["the check"].code != 0
    assert "train-00001-of-00004" in runs["the check"].terminal
    own.succeed()
    assert own.products() == own_finished.products()


def test_looking_with_other_settings_from_a_new_clone_leaves_every_file_as_it_was(own: Project, tmp_path: Path) -> None:
    damage(own)
    clone = clones.new_clone(own, tmp_path / "clone")
    clone.configure(OTHER)
    before = clones.snapshot(clone.results, *OWN)
    for look in ("-n", "space", "check"):
        clone.run(look)
        assert clones.snapshot(clone.results, *OWN) == before, look


def test_a_run_that_finds_the_folder_locked_leaves_every_file_as_it_was(own: Project) -> None:
    locks = own.folder / ".snakemake" / "locks"
    clones.delete(own, "audit.json")
    assert own.kill_when(lambda: any(locks.glob("*")))
    damage(own)
    before = clones.snapshot(own.results, *OWN)
    refused = own.run()
    assert refused.code != 0
    assert "--unlock" in refused.terminal
    assert clones.snapshot(own.results, *OWN) == before
    own.succeed("--unlock")
    assert clones.snapshot(own.results, *OWN) == before
