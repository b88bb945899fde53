"""What was counted is told at the end, also when all is as expected."""

from __future__ import annotations

import pytest

COUNTED = pytest.StashKey[list[str]]()


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> list[str]:
    """Lines that are told at the end."""
    return request.config.stash.setdefault(COUNTED, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("counted")
    for line in terminalreporter.config.stash.get(COUNTED, []):
        terminalreporter.write_line(line)
