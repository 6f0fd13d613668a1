"""What a run can tell those who could not make it: `python -m imagenet_prep.experience results > experience.json`.

Figures alone: how much there was, how long each job took, what the audit counted, on what machine. No image, no name of
a file, folder, host or person. It is text, to be read before it is sent.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import signal
import sys
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from imagenet_prep import __version__
from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from imagenet_prep.engine.receipts import Name
from imagenet_prep.errors import PrepError
from imagenet_prep.report.timings import number, rows

PACKAGES = ("snakemake", "numpy", "pyarrow", "pillow", "scipy", "crc32c")
FORMAT_VERSION = 1

_REMEDY = "Name the folder that output_dir of the configuration names, when a run has made something there"


def collect(output_dir: Path) -> dict[str, Any]:
    """All of it, as it is printed.

    Args:
        output_dir: what the configuration calls so.

    Raises:
        PrepError: if no run has left anything there, or what it left cannot be read.
    """
    jobs = list(_jobs(output_dir / "benchmarks"))
    if not jobs:
        raise PrepError(output_dir, "no run has left a benchmark file below it", _REMEDY)
    return {
        "format_version": FORMAT_VERSION,
        "machine": machine(output_dir),
        "packages": {"imagenet-prep": __version__, **{name: _version(name) for name in PACKAGES}},
        "archives": [_archive(_read(path)) for path in sorted((output_dir / "verified").glob("*.json"))],
        "audit": _audit(output_dir / "audit.json"),
        "jobs": jobs,
    }


def lines(told: Mapping[str, Any]) -> str:
    """JSON with a line for each archive, check and job, so that it can be read before it is sent."""
    parts = []
    for key, value in told.items():
        rows = [json.dumps(it) for it in value] if isinstance(value, list) else []
        parts.append(f'"{key}": ' + ("[\n  " + ",\n  ".join(rows) + "\n ]" if rows else json.dumps(value)))
    return "{\n " + ",\n ".join(parts) + "\n}"


def machine(output_dir: Path) -> dict[str, Any]:
    """What the machine is, as far as it bears on the times."""
    archives = {os.path.realpath(path) for path in (output_dir / "archives").glob("*") if path.is_symlink()}
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "python": platform.python_version(),
        "file_system": file_system(output_dir),
        "file_systems_of_archives": sorted({kind for path in archives if (kind := file_system(Path(path)))}),
    }


def file_system(path: Path) -> str | None:
    """The kind of the file system that `path` is on, such as ext4 or lustre; None where the machine does not say."""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    place = os.path.realpath(path)
    mounts = [line.split()[1:3] for line in lines]
    above = [(len(mount), kind) for mount, kind in mounts if os.path.commonpath([mount, place]) == mount]
    return max(above)[1] if above else None


def _jobs(benchmarks: Path) -> Iterator[dict[str, Any]]:
    """A row a job, of Snakemake's benchmark files: seconds, and megabytes of memory, as they stand there."""
    for path in sorted([*benchmarks.glob("*.tsv"), *benchmarks.glob("*/*.tsv")]):
        name = Name.parse(f"{path.stem}.json")
        for row in rows(path):
            yield {
                "rule": path.stem if path.parent == benchmarks else path.parent.name,
                "of": name.subject if name else None,
                **{key: number(row.get(key)) for key in ("s", "cpu_time", "max_rss", "io_in", "io_out")},
            }


def _archive(receipt: dict[str, Any]) -> dict[str, Any]:
    """Whether it is the published one follows from the declaration: a configuration may expect another checksum."""
    declared = ILSVRC2012.archives.get(receipt.get("name", ""))
    published = {declared.md5, declared.sha256, declared.unpacked_sha256} - {None} if declared else set()
    return {key: receipt.get(key) for key in ("name", "bytes", "members")} | {
        "as_published": bool(published & {receipt.get("md5"), receipt.get("sha256")}),
        "stood_in_for": "source" in receipt,
        "passed_over": receipt.get("passed_over", 0),
    }


def _audit(path: Path) -> list[dict[str, Any]] | None:
    """The figures of every check; of its problems, which name images, their number. None where there was no audit."""
    if not path.exists():
        return None
    return [
        {"name": it["name"], "ok": it["ok"], "figures": it["figures"], "problems": len(it["problems"])}
        for it in _read(path)["checks"]
    ]


def _processor() -> str:
    """The model of the processor, where the machine tells it; else its architecture."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        told = ""
    model = re.search(r"^model name\s*:\s*(.+)$", told, re.MULTILINE)
    return model[1] if model else platform.machine()


def _read(path: Path) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PrepError(path, f"it cannot be read ({error})", "Run the workflow again, which makes it anew") from error
    return read


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def main(arguments: list[str] | None = None) -> int:
    """Print it."""
    parser = argparse.ArgumentParser(
        prog="python -m imagenet_prep.experience",
        description="Prints what a run can tell those who could not make it: figures, no images and no names.",
    )
    parser.add_argument("output_dir", nargs="?", type=Path, default=Path("results"), help="results, if not given")
    try:
        print(lines(collect(parser.parse_args(arguments).output_dir)))
    except PrepError as error:
        print(f"ERROR {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # of a pager, or of head, that has seen enough
    sys.exit(main())
