"""summary.py REPORT OTHER_REPORT...: one line for each of pytest's reports.

Fails if one but the first tells of no tests, or of skipped ones.
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree

KINDS = ("tests", "failures", "errors", "skipped")


def counts(report: str) -> dict[str, int]:
    """What pytest's JUnit report counts; prints it, too."""
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    total = {kind: sum(int(suite.get(kind, 0)) for suite in suites) for kind in KINDS}
    seconds = sum(float(suite.get("time", 0)) for suite in suites)
    print(f"{Path(report).stem}: {', '.join(f'{total[kind]} {kind}' for kind in KINDS)} in {seconds:.0f} s")
    return total


def main(*reports: str) -> int:
    _, *others = [counts(report) for report in reports]
    # pytest itself is content when tests are skipped.
    if any(not other["tests"] or other["skipped"] for other in others):
        print("all tests of examples, counts and clusters must run, and none be skipped", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
