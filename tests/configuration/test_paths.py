"""What people write short in a configuration's paths, and which paths nothing can be made in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from configuration.official import overlaid
from imagenet_prep.configuration import complete
from imagenet_prep.engine import archive_paths


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, with a name that an address would have to write otherwise, and a variable."""
    folder = tmp_path / "my home 100%"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("SCRATCH", "/scratch/me")
    monkeypatch.setenv("BUCKET", "mine")
    monkeypatch.delenv("NOWHERE", raising=False)
    return folder


@pytest.mark.parametrize("key", ["output_dir", "archives_dir", "predictions_dir"])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("~/imagenet", "{home}/imagenet"),
        ("~", "{home}"),
        ("$SCRATCH/imagenet", "/scratch/me/imagenet"),
        ("${SCRATCH}_2", "/scratch/me_2"),
        ("data/$SCRATCH", "data//scratch/me"),
        ("./~", "./~"),
        ("a~b", "a~b"),
        ("cost: 5$", "cost: 5$"),
        ("$$SCRATCH", "$SCRATCH"),
    ],
)
def test_a_home_folder_and_variables_are_put_in(home: Path, tmp_path: Path, key: str, written: str, meant: str) -> None:
    assert complete(overlaid({key: written}), tmp_path)[key] == meant.format(home=home)


def test_so_they_are_in_the_name_of_a_file_of_classes(home: Path, tmp_path: Path) -> None:
    (home / "foxes.txt").write_text("n02119789\n")
    assert complete(overlaid({"classes": "~/foxes.txt"}), tmp_path)["classes"] == ["n02119789"]


@pytest.mark.parametrize(
    ("url", "meant"), [("~/copy", "{home}/copy"), ("$SCRATCH/x", "/scratch/me/x"), ("s3://$BUCKET/x", "s3://mine/x")]
)
def test_so_they_are_in_the_place_to_publish_to(home: Path, tmp_path: Path, url: str, meant: str) -> None:
    assert complete(overlaid({"publish": {"url": url}}), tmp_path)["publish"]["url"] == meant.format(home=home)


@pytest.mark.parametrize("url", ["file://~/val.tar", "file://$HOME/val.tar"])
def test_so_they_are_in_the_address_of_a_local_archive(home: Path, tmp_path: Path, url: str) -> None:
    config = complete(overlaid({"archives": {"val": {"url": [url]}}}), tmp_path)
    assert archive_paths.local_path(config["archives"]["val"]["url"][0]) == home / "val.tar"


def test_the_address_of_a_server_stays_as_it_is(home: Path, tmp_path: Path) -> None:
    url = "https://example.org/~me/val.tar?key=$NOWHERE"
    assert complete(overlaid({"archives": {"val": {"url": url}}}), tmp_path)["archives"]["val"]["url"] == url


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"output_dir": "$NOWHERE/results"}, "output_dir"),
        ({"archives_dir": "${NOWHERE}"}, "archives_dir"),
        ({"predictions_dir": "a/$NOWHERE"}, "predictions_dir"),
        ({"classes": "$NOWHERE/foxes.txt"}, "classes"),
        ({"publish": {"url": "$NOWHERE/copy"}}, "publish.url"),
        ({"archives": {"val": {"url": "file://$NOWHERE/val.tar"}}}, "archives.val.url"),
    ],
)
def test_a_variable_that_is_not_set_is_refused_with_the_key(
    home: Path, refusal: Callable[..., str], changes: dict[str, Any], key: str
) -> None:
    said = refusal(changes)
    assert said.startswith(f"configuration key {key}: ")
    assert "names the variable NOWHERE, which is not set. Set it (export NOWHERE=...)" in said
    assert "\n" not in said, "once"


def test_the_home_folder_of_nobody_is_refused(home: Path, refusal: Callable[..., str]) -> None:
    said = refusal({"archives_dir": "~nobody-of-this-name/archives"})
    assert said.startswith(
        "configuration key archives_dir: ~nobody-of-this-name/archives: there is no such home folder"
    )


@pytest.mark.parametrize("key", ["output_dir", "archives_dir", "predictions_dir"])
@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("a {b} c", "holds {, which Snakemake takes for the name of a wildcard"),
        ("runs <old>/a", "holds <old>, which Snakemake takes for the name of a variable"),
        ("two\nlines", "holds the end of a line"),
        ("x" * 300, "a name in it has 300 bytes"),
        ("/".join(["x" * 200] * 20), "bytes, and a path 4096 at most"),
    ],
)
def test_a_path_that_something_cannot_take_is_refused_with_the_key(
    refusal: Callable[..., str], key: str, written: str, words: str
) -> None:
    said = refusal({key: written})
    assert f"configuration key {key}: " in said
    assert words in said
