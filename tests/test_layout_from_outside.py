"""A layout from outside the package: one planning function and one template, in a folder of its own."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from difflib import unified_diff
from pathlib import Path

import pytest

from hpc_launch.errors import InvalidConfiguration
from hpc_launch.locations import TEMPLATES
from hpc_launch.prepare import Prepared
from hpc_launch.schema import profile_schema
from tests.conftest import LEAST, ROOT, SITES

Prepare = Callable[..., Prepared]
DOCUMENT = (ROOT / "docs" / "adding-a-layout.md").read_text(encoding="utf-8")
MODULE = """
from hpc_launch.context import Context
from hpc_launch.plan.layouts import Laid, Layout, single_job
from hpc_launch.resolve import Resolved


def late(resolved: Resolved, context: Context) -> Laid:
    return single_job(resolved, context)


LATE = Layout(late, launcher="node", scheduler_cores=0, all_at_once=True)
"""
USUAL, OTHER = "#!/bin/bash\n", "#!/usr/bin/env bash\n"
"""Of the template of single-job, and of this one."""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Installs a layout, and gives the site profile of the test machine that allows it."""
    folder = tmp_path / "plug-in"
    monkeypatch.syspath_prepend(folder)

    def installed(name: str, value: str, module: str = MODULE) -> str:
        template = (TEMPLATES / "layouts" / "single-job" / "job.sh.j2").read_text(encoding="utf-8")
        assert template.count(USUAL) == 1
        files = {
            f"{value.partition(':')[0]}.py": module,
            f"templates/layouts/{name}/job.sh.j2": template.replace(USUAL, OTHER),
            "of_a_test-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: of-a-test\nVersion: 1.0\n",
            "of_a_test-1.0.dist-info/entry_points.txt": f"[hpc_launch.layouts]\n{name} = {value}\n",
        }
        for file, text in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
        site = (SITES / "testcluster.yaml").read_text(encoding="utf-8")
        allowed = re.sub("^layouts:.*$", f"layouts: [single-job, {name}]", site, flags=re.M)
        (tmp_path / "site.yaml").write_text(allowed, encoding="utf-8")
        return "./site.yaml"

    return installed


def test_a_layout_differs_from_single_job_in_one_line(
    prepared: Prepare, install: Callable[..., str], tmp_path: Path
) -> None:
    site = install("late", "layout_of_a_test:LATE")
    usual, late = (prepared(LEAST, f"layout={name}", site=site) for name in ("single-job", "late"))
    before, after = (made.rendered.files["job.sh"] for made in (usual, late))
    changed = [*unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")][3:]
    assert changed == ["-#!/bin/bash", "+#!/usr/bin/env bash"]
    assert (late.plan.layout, late.plan.jobs, late.plan.groups) == ("late", usual.plan.jobs, usual.plan.groups)
    (tmp_path / "job.sh").write_text(after, encoding="utf-8")
    subprocess.run(["bash", "-n", tmp_path / "job.sh"], check=True, timeout=20)
    assert "late" in profile_schema()["properties"]["layout"]["enum"]


def test_a_layout_that_no_plug_in_brings_is_none(prepared: Prepare, install: Callable[..., str]) -> None:
    site = install("patient", "patient_layout:LATE")
    with pytest.raises(InvalidConfiguration, match="expected 'single-job', 'job-array', 'mpi' or 'patient', got 'pat'"):
        prepared(LEAST, "layout=pat", site=site)
    with pytest.raises(InvalidConfiguration, match="layout: testcluster does not allow 'patient'"):
        prepared(LEAST, "layout=patient")


@pytest.mark.parametrize(
    ("name", "module", "said"),
    [
        ("torn", "import nothing_of_this_name\n", "'torn' .torn_layout:LATE. does not load: No module named"),
        ("bare", "LATE = None\n", "'bare' .bare_layout:LATE. is no hpc_launch.plan.layouts.Layout"),
    ],
)
def test_a_layout_that_cannot_be_used_is_told_where_the_site_names_it(
    prepared: Prepare, install: Callable[..., str], name: str, module: str, said: str
) -> None:
    site = install(name, f"{name}_layout:LATE", module)
    with pytest.raises(InvalidConfiguration, match=rf"site.yaml:\d+: layouts: {said}"):
        prepared(LEAST, site=site)


def test_the_page_about_layouts_shows_this_one() -> None:
    assert MODULE.strip() in DOCUMENT
