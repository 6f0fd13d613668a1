"""What a run says of its archives before it downloads or reads any, all at once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import clones
from damage import LOGIN_PAGE, expect_clear_end, half, last_errors, path_of
from download import server
from project import Project, Run

OF_FOLDERS = {"use": ["train", "val", "devkit"], "products": ["imagefolder"]}


@pytest.fixture
def mine(finished: Project, tmp_path: Path) -> Project:
    """A project of which nothing is made, with archives that somebody has put there."""
    project = clones.owned(finished, tmp_path / "mine", OF_FOLDERS)
    project.configure({"archives": {name: {"bytes": None} for name in ("train", "val")}})
    return project


def row(run: Run, archive: str) -> str:
    """What the table says of an archive: the columns, a space between them."""
    found = re.search(rf"^ *{archive}  .*$", run.terminal, re.MULTILINE)
    assert found, run.terminal
    return " ".join(found[0].split())


def size(path: Path) -> str:
    """The size of a file as tables show it."""
    return f"{path.stat().st_size:,}".replace(",", " ")


# Folders


@pytest.mark.parametrize(
    ("there", "typed"), [("imagenet_archives", "imagenet_archive"), ("data/ilsvrc/2012", "data/ilsrvc/2012")]
)
def test_a_mistyped_folder_is_named_with_the_one_that_was_meant_and_not_made(
    mine: Project, there: str, typed: str
) -> None:
    folder = mine.folder / there
    folder.parent.mkdir(parents=True, exist_ok=True)
    mine.archives.rename(folder)
    urls = {name: {"url": "http://127.0.0.1:9/never", "bytes": 1 << 50} for name in OF_FOLDERS["use"]}
    mine.configure({"archives_dir": typed, "archives": urls})
    run = mine.run()
    error = expect_clear_end(mine, run, "configuration key archives_dir: there is no folder", f"{mine.folder / typed}.")
    assert f"Did you mean {folder}?" in error
    assert f"`mkdir -p {typed}`." in error
    assert len(last_errors(run)) == 1
    assert "space" not in run.terminal
    assert not (mine.folder / typed).exists()
    assert not mine.results.exists()
    expect_clear_end(mine, mine.run("space"), "there is no folder", f"Did you mean {folder}?")


def test_a_folder_that_somebody_has_made_is_filled_and_the_usual_one_is_made(mine: Project, tmp_path: Path) -> None:
    devkit = path_of(mine, "devkit")
    with server.running(devkit.read_bytes()) as served:
        shutil.rmtree(mine.archives)
        archives = {"devkit": {"url": f"{served.url}/devkit.tar.gz"}}
        mine.configure({"use": ["devkit"], "products": ["labels"], "archives": archives})
        mine.succeed("download")
        assert devkit.is_file()
        mine.configure({"archives_dir": "others", "output_dir": "other_results"})
        expect_clear_end(mine, mine.run("download"), "there is no folder", "mkdir -p others")
        (mine.folder / "others").mkdir()
        mine.succeed("download")
    assert (mine.folder / "others" / devkit.name).read_bytes() == devkit.read_bytes()


def test_without_hooks_a_mistyped_folder_is_not_made_either(mine: Project) -> None:
    mine.configure({"archives_dir": "elsewhere", "use": ["devkit"], "products": ["labels"]})
    mine.configure({"archives": {"devkit": {"url": "http://127.0.0.1:9/never"}}})
    run = mine.run("--no-hooks", "download")
    assert run.code != 0
    assert "there is no folder" in run.terminal + "".join(
        path.read_text() for path in (mine.results / "logs").rglob("*.log")
    )
    assert not (mine.folder / "elsewhere").exists()


# Archives


def test_all_that_is_missing_or_wrong_is_named_at_once_before_the_space(mine: Project) -> None:
    archives = ["train", "val", "devkit", "bbox_train", "bbox_val", "multilabel", "real_labels"]
    mine.configure({"use": archives, "products": ["labels", "imagefolder"]})
    path_of(mine, "val").unlink()
    path_of(mine, "bbox_val").unlink()
    path_of(mine, "real_labels").write_bytes(LOGIN_PAGE)
    path_of(mine, "bbox_train").write_bytes(b"")
    whole = path_of(mine, "train").stat().st_size
    settings = {
        "train": {"bytes": 1 << 50},
        "bbox_val": {"url": "file:///no/such/boxes.tgz"},
        "devkit": {"bytes": 3, "url": "http://127.0.0.1:9/never"},
    }
    mine.configure({"archives": settings})
    run = mine.run()
    for archive, *words in (
        ("train", f"it has {whole} bytes where {1 << 50} are expected", "If you made it yourself, set md5"),
        ("val", "the archive is not there, and the configuration gives no url for it", "Get the archive by hand"),
        ("bbox_val", "could not be had from /no/such/boxes.tgz (no such file)", "Correct the url"),
        ("devkit", "where 3 are expected"),
        ("bbox_train", "this is not a tar archive but empty (0 bytes)"),
        ("real_labels", "this is no JSON but a web page"),
    ):
        expect_clear_end(mine, run, f"/{path_of(mine, archive).name}", *words)
    assert len(last_errors(run)) == 6
    assert "too little space" not in run.terminal
    assert run.rules == set()
    assert not mine.results.exists()
    assert (
        row(run, "multilabel")
        == f"multilabel {size(path_of(mine, 'multilabel'))} not known {path_of(mine, 'multilabel')}"
    )
    assert row(run, "train").endswith(f"{path_of(mine, 'train')} (wrong, see below)")
    assert row(run, "val") == "val - not known not there (wrong, see below)"
    assert "looked for in archives (and in the folders in it), results/downloads and results/archives" in run.terminal


def test_what_will_be_downloaded_is_shown_first(mine: Project) -> None:
    archive = path_of(mine, "val")
    with server.running(archive.read_bytes()) as served:
        archive.unlink()
        nbytes = len(served.content)
        mine.configure({"archives": {"val": {"url": f"{served.url}/val.tar", "bytes": nbytes}}})
        run = mine.succeed("verify")
    expected = f"{nbytes:,}".replace(",", " ")
    assert row(run, "val") == f"val - {expected} not there: to be downloaded from 127.0.0.1 into archives"
    assert f"to be downloaded: {expected} bytes" in run.terminal
    assert run.terminal.index("to be downloaded") < run.terminal.index("all of it"), "the space comes after that"
    assert "archive " not in mine.run("verify").terminal


def test_an_archive_that_the_target_does_not_need_may_be_missing(mine: Project) -> None:
    path_of(mine, "train").unlink()
    mine.configure({"archives": {"train": {"bytes": 1000}}})
    run = mine.succeed("imagefolder_validation")
    assert row(run, "train") == "train - 1 000 not there, and not needed now"


def test_an_archive_under_another_name_is_shown_where_it_lies(mine: Project) -> None:
    archive = path_of(mine, "val")
    renamed = archive.rename(mine.archives / "sub.tar").rename(mine.archives / "val of Anna.tar")
    mine.configure({"archives": {"val": {"bytes": renamed.stat().st_size}}})
    assert row(mine.succeed("verify"), "val").endswith(f"{size(renamed)} {size(renamed)} {renamed}")


# All of them


def test_verify_looks_at_all_archives_and_names_all_that_are_wrong(mine: Project) -> None:
    archives = ["train", "val", "devkit", "bbox_train", "bbox_val", "multilabel", "real_labels"]
    mine.configure({"use": archives, "products": ["labels"]})
    good = {path.name: path.read_bytes() for path in mine.archives.iterdir() if path.is_file()}
    path_of(mine, "val").unlink()
    mine.configure({"archives": {"val": {"bytes": 1 << 50}}})  # no room is needed for what cannot be had
    for name in ("train", "bbox_val"):
        path_of(mine, name).write_bytes(half(good[path_of(mine, name).name]))
    path_of(mine, "real_labels").write_bytes(LOGIN_PAGE)
    mine.configure({"archives": {"real_labels": {"sha256": "0" * 64}}})
    mine.configure({"archives": {"multilabel": {"url": "http://127.0.0.1:9/never"}}})
    path_of(mine, "multilabel").unlink()
    run = mine.run("verify", cores=1)
    for name, words in {
        "train": "cut off",
        "val": "gives no url",
        "bbox_val": "cut off",
        "real_labels": "its sha256 is",
        "multilabel": "Connection refused",
    }.items():
        expect_clear_end(mine, run, f"archives/{path_of(mine, name).name}", words)
    assert len(last_errors(run)) == 5
    assert {path.stem for path in (mine.results / "verified").iterdir()} == {"devkit", "bbox_train"}
    again = mine.run("verify", cores=1)
    assert sorted(last_errors(again)) == sorted(last_errors(run))
    assert path_of(mine, "devkit").name not in "".join(re.findall(r"verify_archive/devkit.*", again.log))
    for name, content in good.items():
        (mine.archives / name).write_bytes(content)
    mine.configure({"archives": {"real_labels": {"sha256": None}, "val": {"bytes": None}}})
    mine.succeed("verify")
    assert {path.stem for path in (mine.results / "verified").iterdir()} == set(archives)
    assert mine.run("verify").nothing_done
    mine.succeed("labels")


def test_what_is_made_of_a_wrong_archive_is_not_made_beside_verify(mine: Project) -> None:
    path_of(mine, "val").write_bytes(half(path_of(mine, "val").read_bytes()))
    run = mine.run("--keep-going", "verify", "imagefolder_validation", "imagefolder_train")
    expect_clear_end(mine, run, path_of(mine, "val").name, "cut off")
    assert len(last_errors(run)) == 1
    assert (mine.results / "imagefolder" / "train").is_dir()
    assert not (mine.results / "imagefolder" / "val").exists()
