"""What a run can tell those who could not make it: `python -m imagenet_prep.experience results > experience.json`.

Figures alone: how much there was, how long each job took, what the audit counted, on what machine. No image, no name of
a file, folder, host or person. It is text, to be read before it is sent.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from imagenet_prep import __version__
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


def machine(output_dir: Path) -> dict[str, Any]:
    """What the machine is, as far as it bears on the times."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "python": platform.python_version(),
        "file_system": file_system(output_dir),
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
    return {key: receipt.get(key) for key in ("name", "bytes", "members")} | {
        "as_published": receipt.get("md5") is not None and receipt.get("md5") == receipt.get("expected")
    }


def _audit(path: Path) -> dict[str, Any] | None:
    """The figures of every check; of its problems, which name images, their number."""
    if not path.exists():
        return None
    report = _read(path)
    checks = [
        {"name": it["name"], "ok": it["ok"], "figures": it["figures"], "problems": len(it["problems"])}
        for it in report["checks"]
    ]
    return {"ok": report["ok"], "checks": checks}


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
        print(json.dumps(collect(parser.parse_args(arguments).output_dir), indent=1))
    except PrepError as error:
        print(f"ERROR {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
