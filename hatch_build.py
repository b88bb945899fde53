"""Puts the templates into the wheel as Python modules, too: compiling them takes a fifth of a `hpc-launch render`."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jinja2
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from jinja2 import FileSystemLoader


class CompileTemplates(BuildHookInterface[Any]):
    """What an installer makes of them is looked for under the version of Jinja that runs (`render/templates.py`)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before the wheel is built; one that only leads to the checkout takes the templates there."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from hpc_launch.template_language import templates_from

        self.made = TemporaryDirectory()
        templates_from(FileSystemLoader(Path(self.root, "templates"))).compile_templates(
            self.made.name,
            zip=None,
            ignore_errors=False,
            filter_func=lambda name: not name.startswith("export/"),  # these use more than scripts do
        )
        build_data["force_include"][self.made.name] = f"hpc_launch/compiled_templates/{jinja2.__version__}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """After it."""
        if version != "editable":
            self.made.cleanup()
