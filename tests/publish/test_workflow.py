"""Publishing as a user does it: by a key of the configuration, killed and run again, and read from where it lies."""

from __future__ import annotations

import io
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from imagenet_prep.formats import example, tfrecord
from imagenet_prep.formats.stream import Stream
from project import Project
from publish import proxy
from publish.conftest import SECRET
from publish.places import S3, Google, Place

SHARDS = {
    *(f"tfrecord/train-{shard:05d}-of-00004" for shard in range(4)),
    *(f"tfrecord/validation-{shard:05d}-of-00002" for shard in range(2)),
}


def summed(project: Project) -> set[str]:
    """The names of the files that SHA256SUMS lists."""
    return {line.split("  ")[1] for line in (project.results / "SHA256SUMS").read_text().splitlines()}


def fetch(place: Place, folder: Path) -> Path:
    """A copy of what is published."""
    for name, content in place.contents().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def file_names(place: Place, split: str) -> Iterator[str]:
    """The file names in the published records of a split, as the library reads them."""
    for name in sorted(name for name in place.names() if name.startswith(f"tfrecord/{split}-")):
        with Stream(io.BytesIO(place.content(name))) as stream:
            for _, record in tfrecord.records(stream, name):
                yield example.decode(record)["image/filename"][0].decode()


def holding_the_secret(project: Project) -> list[Path]:
    """The files of a project that the secret stands in."""
    written = [path for path in project.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path for path in written if SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize("kind", ["s3", "google", "folder"])
def test_everything_is_published(request: pytest.FixtureRequest, project: Project, tmp_path: Path, kind: str) -> None:
    place: Place = request.getfixturevalue(kind)
    project.configure({"publish": {"url": place.url}})
    assert project.succeed().rules == {"publish_products", "all"}
    assert place.names() == {*summed(project), "SHA256SUMS", "manifest.json"}
    assert place.names() >= SHARDS

    copy = fetch(place, tmp_path / "copy")
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=copy, check=True)
    images = pq.read_table(copy / "tables" / "images.parquet", filters=[("split", "=", "train")])
    assert sorted(file_names(place, "train")) == sorted(images["filename"].to_pylist())

    (path,) = (project.results / "state" / "published").glob("*.json")
    receipt = json.loads(path.read_text())
    assert receipt["settings"] == {"url": place.url}
    assert receipt["manifest"] == json.loads(place.content("manifest.json"))

    before = place.contents()
    again = project.succeed("publish", "--forcerun", "publish_products")
    assert again.rules == {"publish_products", "publish"}
    assert "and are the right ones" in again.terminal
    assert place.contents() == before
    assert SECRET not in again.terminal
    assert holding_the_secret(project) == []


def test_products_that_changed_are_published_anew_and_old_shards_go(own: Project, google: Google) -> None:
    own.configure({"publish": {"url": google.url}})
    own.succeed("publish")
    own.configure({"tfrecord": {"validation_shards": 3}})
    own.succeed("publish")
    assert google.names() == {*summed(own), "SHA256SUMS", "manifest.json"}
    assert {name for name in google.names() if name.startswith("tfrecord/validation-")} == {
        f"tfrecord/validation-{shard:05d}-of-00003" for shard in range(3)
    }


def test_a_killed_run_is_finished_by_the_next_one_which_sends_nothing_again(project: Project, s3: S3) -> None:
    project.configure({"publish": {"url": s3.url}})
    never = threading.Event()

    def is_fifth(request: proxy.Request) -> bool:
        return request.sends and sum(earlier.sends for earlier in s3.proxy.requests) >= 5

    s3.proxy.misbehave(proxy.hold(never), is_fifth, times=None)
    try:
        killed = project.kill_when(lambda: len(s3.proxy.sent) >= 8 and bool(s3.names() - {"unfinished.json"}))
        there = s3.names()
    finally:
        never.set()
    assert killed, "the run ended before it could be killed"
    assert "manifest.json" not in there
    assert "unfinished.json" in there
    assert there - {"unfinished.json"}, "something must have arrived before"

    s3.proxy.faults.clear()
    s3.proxy.wait_until_idle()  # what the killed run had sent completely arrives all the same
    there = s3.names()
    s3.proxy.requests.clear()
    project.succeed("--unlock")
    project.succeed()
    again = {name for name in there - {"unfinished.json"} if s3.proxy.sent_about(f"/{name}")}
    assert again == set()
    assert s3.names() == {*summed(project), "SHA256SUMS", "manifest.json"}
    assert project.run().nothing_done


def test_a_failure_is_one_clear_line_and_no_secret_is_written_anywhere(project: Project, s3: S3) -> None:
    project.configure({"publish": {"url": "s3://no-such-bucket/imagenet"}})
    run = project.run()
    assert run.code != 0
    assert run.last_line.startswith("ERROR s3://no-such-bucket/imagenet: there is no such bucket or folder")
    assert "Traceback" not in run.terminal
    assert SECRET not in run.terminal
    s3.proxy.misbehave(proxy.unknown, lambda request: True, times=None)
    project.configure({"publish": {"url": s3.url}})
    refused = project.run()
    assert "it does not accept the credentials" in refused.last_line
    assert SECRET not in refused.terminal
    assert holding_the_secret(project) == []


def test_the_target_needs_the_url(project: Project) -> None:
    run = project.run("publish")
    assert run.code != 0
    assert run.last_line.startswith("ERROR configuration key publish.url: it is null. Write where to publish")


def test_a_client_that_is_missing_is_told_before_anything_is_made(project: Project) -> None:
    # Of a kind that nothing here needs, so that it is not installed.
    project.configure({"publish": {"url": "sftp://example.org/imagenet"}, "tfrecord": {"train_shards": 3}})
    run = project.run()
    assert run.code != 0
    assert run.last_line.startswith("ERROR configuration key publish.url: the client of sftp:// is not installed")
    assert run.rules == set()
