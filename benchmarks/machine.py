"""What a machine is, in the words that go beside its figures."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path


def describe(folder: Path) -> dict[str, str | int]:
    """Processor, cores, memory, kernel and file system below `folder`; neither host nor user."""
    folder.mkdir(parents=True, exist_ok=True)
    processor = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    filesystem = subprocess.run(
        ["stat", "--file-system", "--format", "%T", str(folder)], capture_output=True, text=True, check=True
    )
    return {
        "processor": processor[1] if processor else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(int(memory[1]) / 1e6) if memory else 0,
        "kernel": platform.release().partition("-")[0],
        "filesystem": filesystem.stdout.strip(),
        "python": platform.python_version(),
    }
