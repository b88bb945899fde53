"""How many instructions the processor executes for a `hpc-launch render`, and for the imports that it rests on.

A count, not a time: on one Python, with the same packages, it is the same within a millionth, however busy the machine
is. Needs valgrind.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.startup import DIRECTORY, IMPORTS, RENDER

COUNTED = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")


def main() -> int:
    render, imports = instructions(Path(sys.prefix) / "bin")
    print(f"render  {render:13,} instructions\nimports {imports:13,} instructions\nratio   {render / imports:13.3f}")
    return 0


def instructions(programs: Path) -> tuple[int, int]:
    """Of `hpc-launch render`, and of the imports; `programs`: the bin directory of the environment."""
    commands = [(str(programs / "hpc-launch"), *RENDER), ("-c", IMPORTS)]
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor() as both:
        render, imports = both.map(lambda words: counted(programs / "python", words, Path(home)), commands)
    return render, imports


def counted(python: Path, words: tuple[str, ...], home: Path) -> int:
    """The instructions of one process of Python; raises CalledProcessError where it fails."""
    # A fixed order of sets, and nothing of whoever counts: no PYTHONDONTWRITEBYTECODE, no configuration.
    environment = {"PYTHONHASHSEED": "0", "HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    command = [*COUNTED, str(python), *words]
    done = subprocess.run(command, cwd=DIRECTORY, env=environment, capture_output=True, text=True, check=True)
    (total,) = re.findall(r"^==\d+== Collected : (\d+)$", done.stderr, re.MULTILINE)
    return int(total)


if __name__ == "__main__":
    sys.exit(main())
