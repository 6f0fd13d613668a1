"""Changes of settings that are killed midway, and then taken back: the next run gives what the last settings make."""

from __future__ import annotations

from imagenet_prep import atomic
from project import OTHER, Project

# The moments are those at which the first of these has other bytes than before, or is gone.
MOMENTS = ["imagefolder/val", "tfrecord/train-0000[01]-*"]


def state(project: Project, pattern: str) -> set[tuple[str, int]]:
    """What matches, or lies in a folder that matches, each with its inode."""
    seen = set()
    for path in (*project.results.glob(pattern), *project.results.glob(f"{pattern}/*")):
        try:
            seen.add((path.name, 0 if path.is_dir() else path.stat().st_ino))
        except FileNotFoundError:  # replaced just now
            seen.add((path.name, -1))
    return seen


def kill_when_changed(project: Project, pattern: str, *targets: str) -> None:
    """Run, and kill all as soon as something of this is another."""
    before = state(project, pattern)
    in_time = project.kill_when(lambda: state(project, pattern) != before, *targets)
    assert in_time, "the run ended before it could be killed"
    project.succeed("--unlock")


def test_killed_on_the_way_to_others_the_first_settings_make_all_of_theirs(own: Project) -> None:
    products, first = own.products(), (own.folder / "test.yaml").read_text()
    for number, moment in enumerate(MOMENTS):
        own.configure(OTHER | {"shards": {"seed": number}})
        kill_when_changed(own, moment)
    (own.folder / "test.yaml").write_text(first)
    own.succeed()
    assert own.products() == products
    assert own.run().nothing_done


def test_what_a_killed_run_left_half_made_does_not_outlive_other_settings(own: Project) -> None:
    own.configure({"tfrecord": {"validation_shards": 1}})
    kill_when_changed(own, "state/plan/tfrecord-validation*", "tfrecord_validation")
    left = atomic.partial_path(own.results / "tfrecord" / "validation-00000-of-00001")
    left.write_bytes(b"half")
    own.configure({"tfrecord": {"validation_shards": 3}})
    own.succeed("tfrecord_validation")
    names = sorted(path.name for path in (own.results / "tfrecord").glob("validation-*"))
    assert names == [f"validation-{shard:05d}-of-00003" for shard in range(3)]
    assert not list((own.results / "tfrecord").glob(".*"))
