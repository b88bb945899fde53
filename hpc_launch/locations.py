"""Where the files that travel with the program are: the one place that knows."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def _beside(name: str) -> Path:
    # Installed, they lie in the package; in a checkout, they stand at its top, where people look for them.
    installed = PACKAGE / name
    return installed if installed.is_dir() else PACKAGE.parent / name


TEMPLATES = _beside("templates")
SITE_PROFILES = _beside("site_profiles")
JOBSIDE = PACKAGE / "jobside"
