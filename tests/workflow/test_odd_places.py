"""Runs in odd places: paths that shells take apart, disks without links, users without a name, foreign modules."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clones import owned
from damage import expect_clear_end, path_of
from faults.kills import jobs_of
from faults.test_concurrency import as_user
from odd_places import ODD, WITHOUT_LINKS, make_environment
from project import CHECKOUT, LESS, SMALL, Project, Run, environment, merged
from screen import in_terminal
from workflow.test_bad_surroundings import can_run

FEW = {"use": ["devkit", "val"], "products": ["labels"]}
VFAT = "mkfs.vfat -C disk.img 65536 && mkdir disk && mount -o loop disk.img disk"


def run_with(python: Path, project: Project, *arguments: str, **variables: str) -> Run:
    """A run with that Python, and these variables in its environment."""
    command = [str(python), *project.command(*arguments)[1:]]
    env = environment() | variables
    done = subprocess.run(command, cwd=project.folder, env=env, capture_output=True, text=True, check=False)
    return Run(done.returncode, done.stdout + done.stderr)


# Paths


def test_environment_clone_and_folders_may_lie_below_any_path(finished: Project, tmp_path: Path) -> None:
    folder = tmp_path / ODD
    folder.mkdir()
    project = owned(finished, folder / "imagenet-prep", LESS)
    project.archives.rename(folder / f"archives {ODD}")
    written = ODD.replace("$", "$$")
    project.configure({"output_dir": f"../results {written}/a:b", "archives_dir": f"../archives {written}"})
    python = make_environment(folder / ".venv")
    for target in ((), ("check",)):
        run = run_with(python, project, *target)
        assert run.code == 0, run.terminal
    assert run_with(python, project).nothing_done
    project.results = folder / f"results {ODD}" / "a:b"
    made = {name: it for name, it in project.products().items() if name.startswith("imagefolder")}
    assert made
    assert {name: finished.products()[name] for name in made} == made


@pytest.mark.parametrize("name", ["a {b}", "a:b"])
def test_a_clone_below_a_path_that_snakemake_or_python_takes_apart_is_told_to_move(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    run = Project(tmp_path / name, SMALL).run("-n")
    assert run.code != 0
    assert run.last_line.startswith("ERROR ")
    assert name in run.last_line
    assert "Move the clone to a path without it." in run.last_line
    assert "Traceback" not in run.terminal


def test_the_working_directory_may_have_any_name(finished: Project, tmp_path: Path) -> None:
    project = owned(finished, tmp_path / "clone", FEW)
    elsewhere = tmp_path / f"{ODD} {{x}}"
    elsewhere.mkdir()
    project.archives.rename(elsewhere / "archives")
    run = project.run("--directory", str(elsewhere))
    assert run.code == 0, run.terminal
    assert (elsewhere / "results" / "labels" / "classes.csv").exists()


# Disks without symbolic links


def moved_apart(finished: Project, folder: Path) -> Project:
    """A project whose archives are found under other names, so that it has to be kept where they lie."""
    project = owned(finished, folder, LESS)
    for name in LESS["use"]:
        below = project.archives / "below"
        below.mkdir(exist_ok=True)
        path_of(project, name).rename(below / path_of(project, name).name)
    return project


def expect_no_links(project: Project, made: Path, prefix: tuple[str, ...]) -> None:
    """Run it, and again with a shard less: what is made is whole, and no archive is asked for twice."""
    run = project.run(prefix=prefix)
    assert run.code == 0, run.terminal
    assert [path for path in made.rglob("*") if path.is_symlink()] == []
    name = path_of(project, "val").name
    told = (made / "archives" / f"{name}.path").read_text().rstrip("\n")
    assert (made / "archives" / told).resolve() == (project.archives / "below" / name).resolve()
    assert project.run(prefix=prefix).nothing_done
    assert project.run("check", prefix=prefix).code == 0
    shard = made / "tfrecord" / "train-00000-of-00004"
    before = shard.read_bytes()
    shard.unlink()
    assert project.run(prefix=prefix).code == 0
    assert shard.read_bytes() == before


def test_results_may_lie_where_there_are_no_symbolic_links(finished: Project, tmp_path: Path) -> None:
    if not can_run(*WITHOUT_LINKS, "true"):
        pytest.skip("forbidding links is not possible here")
    project = moved_apart(finished, tmp_path / "project")
    expect_no_links(project, project.results, WITHOUT_LINKS)


def test_results_may_lie_on_a_fat_disk(finished: Project, tmp_path: Path) -> None:
    if subprocess.run(["sh", "-c", VFAT], cwd=tmp_path, capture_output=True).returncode:
        pytest.skip("mounting a FAT file system is not possible here")
    try:
        project = moved_apart(finished, tmp_path / "project")
        project.configure({"output_dir": str(tmp_path / "disk" / "results")})
        expect_no_links(project, tmp_path / "disk" / "results", ("env",))
    finally:
        subprocess.run(["umount", str(tmp_path / "disk")], check=True)


# Users


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may write to."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def test_a_user_needs_neither_a_name_nor_a_home(open_folder: Path) -> None:
    number = 54321
    nobody = (*as_user(number, Path("/"))[:-2], "-i", "HOME=/", f"PATH={os.environ['PATH']}")
    if os.geteuid() or not can_run(*nobody, sys.executable, "-c", ""):
        pytest.skip("being another user is not possible here")
    project = Project(open_folder, merged(SMALL, LESS))
    for path in (project.folder, *project.folder.rglob("*")):
        os.chown(path, number, number)
    run = project.run(prefix=nobody)
    assert run.code == 0, run.terminal
    assert "Traceback" not in run.terminal
    assert (project.results / "audit.json").stat().st_uid == number


# What else there is of Python


def unusable(folder: Path, name: str) -> Path:
    """Put a module into a folder that was made for another Python; return its own folder."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text('__version__ = "1.16"\nraise ImportError("made for Python 2.7")\n')
    return folder / name


def test_modules_of_another_python_are_passed_over(finished: Project, tmp_path: Path) -> None:
    project = owned(finished, tmp_path / "project", FEW)
    run = run_with(Path(sys.executable), project, PYTHONPATH=str(unusable(tmp_path / "foreign", "numpy").parent))
    assert run.code == 0, run.terminal


def test_modules_that_the_user_has_installed_for_himself_are_passed_over(tmp_path: Path) -> None:
    site = tmp_path / f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    unusable(site, "numpy")
    program = (
        "import os, site, sys; site.ENABLE_USER_SITE = True; sys.path.insert(1, site.getusersitepackages());"
        "from imagenet_prep import interpreter; interpreter.use_own_modules('/clone/workflow');"
        "print(os.environ['PYTHONPATH'], os.environ['PYTHONNOUSERSITE']); import numpy"
    )
    env = environment() | {"PYTHONUSERBASE": str(tmp_path), "PYTHONPATH": f"{CHECKOUT}/workflow"}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "/clone/workflow 1\n"


def test_modules_that_are_there_alone_are_used() -> None:
    program = (
        "import os, site, sys; from imagenet_prep import interpreter; before = list(sys.path);"
        "os.environ['PYTHONPATH'] = os.pathsep.join(it for it in sys.path if it);"
        "interpreter.use_own_modules('/clone/workflow'); assert sys.path == before; print(os.environ['PYTHONPATH'])"
    )
    env = environment() | {"PYTHONPATH": f"{CHECKOUT}/workflow"}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    assert "site-packages" in done.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("numpy", ("bin/python: numpy, of ", "Make the environment anew")),  # Snakemake needs it, too
        ("pyarrow", ("could not start (exit code 1): pyarrow, of ", "make env")),
    ],
)
def test_a_module_that_cannot_be_imported_is_named_with_its_folder(
    finished: Project, tmp_path: Path, name: str, words: tuple[str, ...]
) -> None:
    python = make_environment(tmp_path / "env")
    folder = unusable(next((tmp_path / "env").glob("lib/python3*/site-packages")), name)
    run = run_with(python, owned(finished, tmp_path / "project", FEW))
    assert run.code != 0
    line = next(line for line in run.terminal.splitlines() if line.startswith("ERROR ") and words[0] in line)
    for said in (*words, str(folder), "made for Python 2.7"):
        assert said in line


def test_a_module_that_no_job_of_a_run_needs_hinders_none(finished: Project, tmp_path: Path) -> None:
    python = make_environment(tmp_path / "env")
    unusable(next((tmp_path / "env").glob("lib/python3*/site-packages")), "pandas")
    run = run_with(python, owned(finished, tmp_path / "project", FEW))
    assert run.code == 0, run.terminal


@pytest.mark.parametrize(
    ("replace", "words"),
    [
        ("os.unlink(sys.executable)", ("exit code 127", "is not there")),
        ("os.unlink(sys.executable); open(sys.executable, 'w').close()", ("exit code 126", "may not be executed")),
    ],
)
def test_a_job_that_cannot_start_says_so_with_its_exit_code(
    finished: Project, tmp_path: Path, replace: str, words: tuple[str, ...]
) -> None:
    project = owned(finished, tmp_path / "project", FEW)
    with (project.folder / "workflow" / "scripts" / "verify_archive.py").open("a") as script:
        script.write(f"\nimport os, sys; {replace}\n")
    run = run_with(make_environment(tmp_path / "env"), project)
    expect_clear_end(project, run, "could not start", *words, "make env")  # whichever job is the next


# The terminal


def test_a_terminal_that_is_closed_ends_the_run_as_ctrl_c_does(finished: Project, tmp_path: Path) -> None:
    project = owned(finished, tmp_path / "project", LESS)
    process, terminal = in_terminal(project.command(), project.folder, environment())
    try:
        until = time.monotonic() + 60
        jobs: list[int] = []
        while not jobs and time.monotonic() < until:
            os.read(terminal, 65536)
            jobs = jobs_of(process.pid)
    finally:
        os.close(terminal)
    assert process.wait(60) != -signal.SIGHUP
    assert [job for job in jobs if Path(f"/proc/{job}").exists()] == []
    assert not list((project.folder / ".snakemake" / "locks").glob("*"))
    shutil.rmtree(project.folder / ".snakemake" / "log")
    assert project.run().code == 0
