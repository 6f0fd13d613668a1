"""What a file system has left, and what the two programs that know of quotas say."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from imagenet_prep import filesystem
from imagenet_prep.filesystem import Left, file_system_at, parse_quotas

KIB = 1024
HEADER = "     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace\n"


def test_a_folder_that_is_not_there_has_the_room_of_the_one_it_will_be_made_in(tmp_path: Path) -> None:
    assert file_system_at(tmp_path / "not" / "there").device == tmp_path.stat().st_dev


def test_a_link_has_the_room_of_what_it_leads_to(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/proc/self")
    assert file_system_at(link).device == Path("/proc/self").stat().st_dev


def test_what_lies_below_a_folder_that_this_user_may_not_search_has_the_room_of_that_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "below").mkdir(parents=True)
    closed.chmod(0)
    program = "import pathlib, sys; from imagenet_prep.filesystem import file_system_at"
    program += "; print(file_system_at(pathlib.Path(sys.argv[1])).device)"
    # The modes of files mean nothing to root, unless it gives up the right to pass over them.
    bound = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    run = subprocess.run(
        [*bound, sys.executable, "-c", program, str(closed / "below" / "new")],
        env={**os.environ, "PYTHONPATH": str(Path(filesystem.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, f"{tmp_path.stat().st_dev}\n"), run.stderr


def test_the_room_is_what_is_free_for_this_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = os.statvfs_result((4096, 4096, 1000, 500, 400, 90, 80, 70, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: status)
    found = file_system_at(tmp_path)
    assert (found.nbytes, found.files, found.block) == (400 * 4096, 70, 4096)


def test_what_counts_no_inodes_has_no_known_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = os.statvfs_result((1 << 20, 1 << 20, 0, 0, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda path: status)
    found = file_system_at(tmp_path)
    assert (found.nbytes, found.files) == (None, None)
    assert found.block == 4096, "a block of 1 MiB is that of a network, and no small file fills it"


def test_a_file_system_that_does_not_answer_has_no_known_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> os.statvfs_result:
        raise OSError("stale file handle")

    monkeypatch.setattr(os, "statvfs", fail)
    assert file_system_at(tmp_path).nbytes is None


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("      /dev/sdb2      48  104857600 104857600              10       0       0", (104857552, None)),
        ("      /dev/xvde      24       0  131072               7       0   10000        ", (131048, 9993)),
        ("      /dev/sdb1 2097156*      1 15728640   6days       1       1       2        ", (13631484, 1)),
        ("      /dev/sda1     700     600       0                   9*      8      10   6days", (0, 1)),
        ("/dev/mapper/Vol-root\n         22540       0   1048576             338       0   40000", (1026036, 39662)),
        ("172.17.65.195:/vol/home\n    1444800* 1444800 1444800            9515   31000   31000", (0, 21485)),
        ("        /lustre7 982177580       0 1000000000       - 443208230 0 0       -", (17822420, None)),
        ("        /lustre  10  5242880 6291456  6d23h59m56s   3*       2       4       -", (6291446, 1)),
    ],
    ids=["plain", "hard only", "over, grace", "files over", "broken", "nfs, full", "lustre", "lustre, grace"],
)
def test_a_quota_leaves_what_is_between_use_and_limit(line: str, left: tuple[int, int | None]) -> None:
    nbytes, files = left
    said = f"Disk quotas for user alice (uid 1000): \n{HEADER}{line}\n"
    assert parse_quotas(said) == {line.split()[0]: Left(nbytes * KIB, files)}


def test_several_file_systems_are_told_apart() -> None:
    said = (
        f"Disk quotas for usr alice (uid 1):\n{HEADER}/home 1 0 11 2 0 0\n/data 1 0 21 - 2 0 5 -\n"
        "uid 1 is using default block quota setting\n"
    )
    assert parse_quotas(said) == {"/home": Left(10 * KIB, None), "/data": Left(20 * KIB, 3)}


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Disk quotas for user root (uid 0): none\n",
        "lfs quota: '/home' not on a mounted Lustre filesystem\n",
        f"{HEADER}     /fred [1041408]  5242880 6291456       -     [0]       0       0       -\n",
        f"{HEADER}     /home  14340M  16384M  20480M            160k       0       0        \n",
        "quota: invalid option -- 'w'\nusage: quota [-gquv]\n",
        "\x00\xff{]\n\n\n 1\n2\n",
    ],
    ids=["nothing", "none", "no lustre", "not sure", "other units", "usage", "rubbish"],
)
def test_output_that_tells_of_no_quota_says_nothing(said: str) -> None:
    assert parse_quotas(said) == {}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a program that runs a line of shell where `quota` and `lfs` are looked for, and nothing else there."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    filesystem._output.cache_clear()

    def make(name: str, line: str) -> None:
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)

    return make


def mounted(monkeypatch: pytest.MonkeyPatch, folder: Path, kind: str, source: str) -> None:
    place = os.fspath(file_system_at(folder).place)
    monkeypatch.setattr(filesystem, "_mounts", lambda: {place: (kind, source)})


def test_a_quota_smaller_than_the_free_space_is_the_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[str, str], None]
) -> None:
    program("quota", f'test "$1 $2" = "-w -u" || exit 1; echo "{HEADER}server:/home 10 0 30 5 0 9"; exit 1')
    mounted(monkeypatch, tmp_path, "nfs4", "server:/home")
    found = file_system_at(tmp_path)
    assert (found.nbytes, found.files, found.quota) == (20 * KIB, 4, "your quota")


def test_lustre_is_asked_by_its_own_program_at_its_mount_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[str, str], None]
) -> None:
    program("lfs", f'echo "$1 $2 $3 $4" > {tmp_path}/asked; echo "{HEADER}$4 10 0 30 - 5 0 9 -"')
    mounted(monkeypatch, tmp_path, "lustre", "10.0.0.1@tcp:/fs")
    found = file_system_at(tmp_path)
    assert found.nbytes == 20 * KIB
    assert (tmp_path / "asked").read_text().split() == ["quota", "-g", str(os.getegid()), str(found.place)]


def test_a_quota_on_another_file_system_leaves_the_room_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[str, str], None]
) -> None:
    program("quota", f'echo "{HEADER}server:/home 10 0 30 5 0 9"')
    mounted(monkeypatch, tmp_path, "ext4", "/dev/sda1")
    assert file_system_at(tmp_path).quota is None


@pytest.mark.parametrize("line", ["exit 3", "kill -9 $$", "printf '\\377\\000'", "while :; do :; done"])
def test_a_program_that_fails_or_hangs_is_as_good_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[str, str], None], line: str
) -> None:
    monkeypatch.setattr(filesystem, "_TIMEOUT", 0.1)
    program("quota", line)
    mounted(monkeypatch, tmp_path, "ext4", "/dev/sda1")
    assert file_system_at(tmp_path).quota is None


def test_without_the_programs_there_is_no_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: Callable[[str, str], None]
) -> None:
    mounted(monkeypatch, tmp_path, "ext4", "/dev/sda1")
    assert file_system_at(tmp_path).quota is None
