"""How a script of the workflow fails: one line on the terminal, one beside the log, and the rest in the log."""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from imagenet_prep import job, progress, signals
from imagenet_prep.errors import Described, PrepError

ERROR = PrepError("a.tar", "it is cut off", "Get it again", member="n01.tar", offset=512)
LINE = "a.tar, member 'n01.tar', byte 512: it is cut off. Get it again."


@pytest.fixture(autouse=True)
def own_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)  # `run` sets it for its process,
    monkeypatch.setattr(progress, "_report", progress._Report())  # and where that reports


def script(log: Path, **resources: int) -> Any:
    return SimpleNamespace(log=[str(log)], config={"output_dir": "results"}, resources=resources)


def fail(log: Path, error: BaseException, **resources: int) -> int:
    def main(snakemake: Any) -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        job.run(main, script(log, **resources))
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_a_script_is_called_with_what_snakemake_gives(tmp_path: Path) -> None:
    called: list[Any] = []
    snakemake = script(tmp_path / "new" / "a.log")
    job.run(called.append, snakemake)
    assert called == [snakemake]


def test_what_a_script_logs_is_on_the_terminal_and_in_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])  # those of the test runner would keep `run` from setting its own
    monkeypatch.setattr(root, "level", root.level)
    job.run(lambda snakemake: root.info("half of it"), script(tmp_path / "a.log"))
    for handler in root.handlers:
        handler.close()
    assert capsys.readouterr().err == "half of it\n"
    assert (tmp_path / "a.log").read_text() == "half of it\n"


@pytest.mark.parametrize("error", [ERROR, OSError(errno.ENOSPC, "full", "shard"), RuntimeError("a\nb"), MemoryError()])
def test_a_failure_is_one_line_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str], error: Exception) -> None:
    assert fail(tmp_path / "a.log", error) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"ERROR {job.describe(error, tmp_path / 'a.log', 'results')}"


def test_the_log_has_the_whole_story(tmp_path: Path) -> None:
    fail(tmp_path / "a.log", ERROR)
    assert "Traceback" in (tmp_path / "a.log").read_text()


def test_the_line_is_found_again_below_the_logs(tmp_path: Path) -> None:
    fail(tmp_path / "rule" / "a.log", ERROR)
    fail(tmp_path / "rule" / "b.log", OSError(errno.ENOSPC, "full", "shard"))
    lines = job.failures(tmp_path)
    assert [line.partition(":")[0] for line in lines] == ["a.tar, member 'n01.tar', byte 512", "shard"]
    assert job.failures(tmp_path / "another") == []
    job.forget_failures(tmp_path)
    assert job.failures(tmp_path) == []


def test_several_failures_of_one_job_are_a_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lists = PrepError("configuration", "2 problems\n  one\n  two", "Mend them")
    group = ExceptionGroup("several", [ERROR, Described("b.tar: as another job has said."), lists])
    assert fail(tmp_path / "a.log", group, attempt=1) == 1
    said = [LINE, "b.tar: as another job has said.", str(lists)]
    assert capsys.readouterr().err == "".join(f"ERROR {line}\n" for line in said)
    assert job.failures(tmp_path) == sorted(said)
    with pytest.raises(SystemExit, match="1"):
        job.run(lambda snakemake: pytest.fail("it was tried again"), script(tmp_path / "a.log", attempt=2))


def test_an_unwritable_log_is_told_like_any_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs").write_text("a file in the place of the folder")
    assert fail(tmp_path / "logs" / "a.log", ERROR) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ERROR {tmp_path / 'logs'}")


def test_a_job_that_works_the_second_time_leaves_no_failure(tmp_path: Path) -> None:
    fail(tmp_path / "a.log", ERROR)
    job.run(lambda snakemake: None, script(tmp_path / "a.log"))
    assert job.failures(tmp_path) == []


def test_what_no_attempt_mends_is_not_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fail(tmp_path / "a.log", ERROR, attempt=1)
    with pytest.raises(SystemExit, match="1"):
        job.run(lambda snakemake: pytest.fail("it was"), script(tmp_path / "a.log", attempt=2))
    assert capsys.readouterr().err == f"ERROR {LINE}\n" * 2
    assert job.failures(tmp_path) == [LINE]
    assert LINE in (tmp_path / "a.log").read_text()


def test_what_another_node_may_do_better_is_attempted_again(tmp_path: Path) -> None:
    fail(tmp_path / "a.log", OSError(errno.EIO, "x", "shard"), attempt=1)
    called: list[Any] = []
    job.run(called.append, script(tmp_path / "a.log", attempt=2))
    assert len(called) == 1
    assert job.failures(tmp_path) == []


def test_the_next_run_attempts_everything(tmp_path: Path) -> None:
    fail(tmp_path / "a.log", ERROR, attempt=2)
    called: list[Any] = []
    job.run(called.append, script(tmp_path / "a.log", attempt=1))
    assert len(called) == 1


def test_a_disk_too_full_for_the_log_adds_no_second_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any, **how: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    def main(snakemake: Any) -> None:
        monkeypatch.setattr(Path, "open", full)
        monkeypatch.setattr(Path, "write_text", full)
        raise ERROR

    with pytest.raises(SystemExit):
        job.run(main, script(tmp_path / "a.log"))
    monkeypatch.undo()
    assert capsys.readouterr().err == f"ERROR {LINE}\n"


def test_an_interrupted_job_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fail(tmp_path / "a.log", KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == ""
    assert job.failures(tmp_path) == []


def run_as_job(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A program of a job, with what stands in front of its command."""
    program = f"import os, signal\nfrom types import SimpleNamespace\nfrom imagenet_prep import job\n{program}"
    return subprocess.run(
        [*signals.holding_back().split(), sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(job.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )


RUN = 'job.run(main, SimpleNamespace(log=["job.log"], config={"output_dir": "results"}, resources={}))'


@pytest.mark.skipif(not signals.holding_back(), reason="not possible here: env cannot block signals")
def test_ctrl_c_before_a_script_listens_ends_it_without_a_word(tmp_path: Path) -> None:
    run = run_as_job(f"os.kill(os.getpid(), signal.SIGINT)\nmain = print\n{RUN}", tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "")


def test_ctrl_c_ends_a_script_with_processes_of_its_own_without_a_word(tmp_path: Path) -> None:
    program = f"""
import threading, time
from concurrent.futures import ProcessPoolExecutor
from imagenet_prep import signals
os.setpgrp()
def main(snakemake):
    with ProcessPoolExecutor(3, initializer=signals.leave_at_once) as pool:
        pool.submit(time.sleep, 60)  # two more have nothing to do
        threading.Timer(0.5, os.killpg, (0, signal.SIGINT)).start()
        pool.submit(int).result()
        time.sleep(60)
{RUN}
"""
    run = run_as_job(program, tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "")


def test_threads_that_fail_since_a_script_was_interrupted_say_nothing(tmp_path: Path) -> None:
    program = f"""
import threading, time
def fail():
    time.sleep(0.5)
    raise RuntimeError("as that of a pool whose processes are gone")
def main(snakemake):
    threading.Thread(target=fail).start()
    os.kill(os.getpid(), signal.SIGINT)
{RUN}
"""
    run = run_as_job(program, tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "")


DROPS = {
    "around a fork": "os.register_at_fork(after_in_parent=press)\n    os.fork() or os._exit(0)",
    "in a destructor": "Last()",
}


@pytest.mark.parametrize("drops", DROPS.values(), ids=DROPS.keys())
def test_ctrl_c_where_python_drops_what_is_raised_ends_a_script_a_moment_later(drops: str, tmp_path: Path) -> None:
    program = f"""
import time
def press():
    signal.raise_signal(signal.SIGINT)
class Last:
    def __del__(self):
        press()
def main(snakemake):
    {drops}
    time.sleep(60)
{RUN}
"""
    run = run_as_job(program, tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (130, "", "")


def test_a_script_in_the_background_of_a_shell_goes_on(tmp_path: Path) -> None:
    program = f"""
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does
def main(snakemake):
    os.kill(os.getpid(), signal.SIGINT)
    print("it has gone on")
{RUN}
"""
    run = run_as_job(program, tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (0, "it has gone on\n", "")


def test_a_script_that_is_interrupted_in_its_work_can_clean_up(tmp_path: Path) -> None:
    program = f"""
def main(snakemake):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        print("cleaned up")
{RUN}
"""
    run = run_as_job(program, tmp_path)
    assert (run.returncode, run.stdout, run.stderr) == (130, "cleaned up\n", "")


@pytest.mark.parametrize(
    ("error", "place", "remedy"),
    [
        (OSError(errno.ENOSPC, "x", "out/shard"), "out/shard", "Make room"),
        (OSError(errno.EROFS, "x", "out/shard"), "out/shard", "output_dir"),
        (PermissionError(errno.EACCES, "x", "out/shard"), "out/shard", "right"),
        (OSError(errno.EIO, "x"), "results", "disk"),
        (OSError(errno.ELOOP, "x", "link"), "link", "run the same command again"),
        (RuntimeError("odd"), "job.log", "report it"),
        (MemoryError(), "job.log", "fewer --cores"),
        (pa.ArrowMemoryError("malloc of size 7 failed"), "job.log", "fewer --cores"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "job.log", "fewer --cores"),
    ],
)
def test_every_error_is_told_with_its_place_and_a_remedy(error: Exception, place: str, remedy: str) -> None:
    line = job.describe(error, "job.log", "results")
    assert line.startswith(place)
    assert remedy in line
    assert line.isprintable()


def test_a_job_that_lost_a_process_of_its_own_is_told_how_to_run_with_more_memory() -> None:
    with pytest.raises(BrokenProcessPool) as caught, ProcessPoolExecutor(1) as pool:
        pool.submit(signal.raise_signal, signal.SIGKILL).result()
    for log in ("results/logs/audit_products.log", "results/logs/audit_products/train.log"):
        line = job.describe(caught.value, log, "results")
        assert line.startswith(f"{log}: a process of this job was killed")
        assert line.endswith(
            "Run the same command again with fewer --cores; on a cluster with more memory "
            "(--set-resources audit_products:mem_mb=8000)."
        )


def test_an_error_of_the_user_is_told_in_its_own_words() -> None:
    assert job.describe(ERROR, "job.log", "results") == LINE


def test_an_error_about_a_link_names_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link.tar").symlink_to(tmp_path / "archive.tar")
    for error in (PrepError(tmp_path / "link.tar", "p", "r"), FileNotFoundError(2, "x", str(tmp_path / "link.tar"))):
        assert job.describe(error, "job.log", "results").startswith(f"{tmp_path / 'archive.tar'}: ")


def test_a_script_does_not_load_pandas_only_because_pyarrow_asks_for_it(tmp_path: Path) -> None:
    program = """
import sys
from types import SimpleNamespace
import pyarrow
from imagenet_prep import job, progress, signals
job.run(lambda _: pyarrow.array([1]), SimpleNamespace(log=["job.log"], config={"output_dir": "results"}, resources={}))
assert "pandas" not in sys.modules
import pandas
"""
    library = Path(job.__file__).parents[1]
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
