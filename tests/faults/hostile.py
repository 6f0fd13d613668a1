"""Every reader of what others wrote, given input that was made to harm it.

Each reader works in a process of its own, whose memory is limited and which a watchdog ends: what it raises beyond its
own errors, where it hangs, crashes or takes too much, and what it writes where it should not, is a fault. Run it as
`python tests/faults/hostile.py --examples 5000`: it prints its figures, and exits with 1 after a fault.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import json
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "workflow")]

from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402

from faults.hostile_bombs import BOMBS  # noqa: E402
from faults.hostile_readers import READERS, Reader, emptied  # noqa: E402
from imagenet_prep.errors import PrepError  # noqa: E402

LONGEST = 120
"""Seconds after which a case hangs; those that are there take a few, on a machine that has other things to do, too."""

_ADDRESS_SPACE = 3 << 30


@dataclass
class Figures:
    """What came of one reader.

    Attributes:
        cases: how many inputs it was given, refused: how many of them it did not take.
        longest: seconds of the slowest case, and which it was.
        memory: MiB that a case took at the most, beyond what the process had before it.
        faults: what was not as it should be; none if all is well.
    """

    cases: int = 0
    refused: int = 0
    longest: float = 0.0
    slowest: str = ""
    memory: int = 0
    faults: list[str] = field(default_factory=list)


EXAMPLE = "an example"


class Attack:
    """One reader under attack.

    Args:
        name: of the reader.
        folder: for its files; the case at hand is kept there too, for the case that it ends the process.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.reader: Reader = READERS[name]
        self.bombs = BOMBS.get(name, {})
        self.figures = Figures()
        self._work, self._case = folder / "work", folder / "case.pickle"
        self._work.mkdir()

    def run(self, examples: int, first: int, *, bombs: bool) -> Figures:
        """Give it the bombs, if asked for, and so many examples."""
        for name, make in self.bombs.items() if bombs else ():
            try:
                self._give(name, make())
            except Exception:
                self.figures.faults.append(f"{name}: {traceback.format_exc(limit=-3)}")
            gc.collect()

        @seed(first)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )
        @given(self.reader.inputs)
        def attack(value: Any) -> None:
            self._give(EXAMPLE, value)

        try:
            attack()
        except Exception as error:
            notes = " ".join(getattr(error, "__notes__", []))
            self.figures.faults.append(f"{traceback.format_exc(limit=-3)}{notes}")
        if self.figures.memory > self.reader.memory:
            self.figures.faults.append(f"it took {self.figures.memory} MiB, more than {self.reader.memory}")
        return self.figures

    def _give(self, name: str, value: Any) -> None:
        self.figures.cases += 1
        self._case.write_bytes(pickle.dumps((name, value)) if name == EXAMPLE else name.encode())
        faulthandler.dump_traceback_later(LONGEST, exit=True)
        folder = emptied(self._work)
        before = _forget_peak()
        began = time.monotonic()
        try:
            self.reader.read(value, folder)
        except self.reader.errors as error:
            self.figures.refused += 1
            if isinstance(error, PrepError):
                lines = str(error).splitlines()
                assert len(lines) == 1 or lines[0].startswith("configuration: "), f"more than one line: {error!r}"
        finally:
            took = time.monotonic() - began
            faulthandler.cancel_dump_traceback_later()
            self.figures.memory = max(self.figures.memory, _peak() - before)
        if took > self.figures.longest:
            self.figures.longest, self.figures.slowest = took, name


def _forget_peak() -> int:
    """Have the most memory that this process had be what it has now, and return that in MiB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    """MiB of memory that this process had at the most since then."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def attack(name: str, examples: int, first: int, *, bombs: bool = True) -> Figures:
    """Attack a reader in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--reader", name, "--examples", str(examples), "--seed", str(first)]
        command += [] if bombs else ["--no-bombs"]
        done = subprocess.run([*command, "--here", folder], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return Figures(**json.loads(done.stdout.splitlines()[-1]))
        how = signal.Signals(-done.returncode).name if done.returncode < 0 else f"exit code {done.returncode}"
        case = Path(folder, "case.pickle")
        shown = repr(case.read_bytes()[:400]) if case.exists() else "the start"
        return Figures(faults=[f"its process ended with {how} at {shown}\n{done.stderr[-1500:]}"])


def main() -> None:
    """Attack every reader, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=5000, help="of each reader")
    parser.add_argument("--reader", action="append", choices=sorted(READERS), help="these alone")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-bombs", dest="bombs", action="store_false", help="examples alone")
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        figures = Attack(arguments.reader[0], arguments.here).run(
            arguments.examples, arguments.seed, bombs=arguments.bombs
        )
        print(json.dumps(asdict(figures)))
        return
    faults = 0
    print(f"{'reader':20} {'cases':>7} {'refused':>8} {'faults':>7} {'longest':>9} {'memory':>8}")
    for name in arguments.reader or READERS:
        found = attack(name, arguments.examples, arguments.seed, bombs=arguments.bombs)
        faults += len(found.faults)
        counts = f"{found.cases:7} {found.refused:8} {len(found.faults):7}"
        print(f"{name:20} {counts} {found.longest:7.1f} s {found.memory:4} MiB  {found.slowest}", flush=True)
        for fault in found.faults:
            print(f"FAULT {name}: {fault}", flush=True)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
