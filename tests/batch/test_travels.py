"""The package `hpc_launch.batch` stands alone: it travels with runs, to hosts that have Python and nothing else."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hpc_launch.batch import BUILT_IN
from tests.batch.recording import Program
from tests.conftest import ROOT

BATCH = ROOT / "hpc_launch" / "batch"
CODE = """
import importlib, json, pathlib, pkgutil, sys, time
import hpc_launch.batch as batch

for module in pkgutil.walk_packages(batch.__path__, "hpc_launch.batch."):
    importlib.import_module(module.name)
here = pathlib.Path.cwd()
local, torque = batch.get("local"), batch.get("torque")
job = local.submit(here, "job.sh", "alone")
torque_job = torque.submit(here, "job.sh", "alone")
said = {
    "commands": {name: batch.get(name).submit_command("job.sh", "alone") for name in (*batch.BUILT_IN, "torque")},
    "options": {name: batch.dialect_of(name).option("queue") for name in (*batch.BUILT_IN, "torque")},
    "found": local.find("alone", 0) == [job],
    "states": [str(report.status) for report in (*local.states([job]).values(), *torque.states([torque_job]).values())],
}
local.cancel([job])
said["over"] = str(local.states([job])[job].status)
try:
    batch.get("slrum")
except batch.InvalidConfiguration as fault:
    said["fault"] = str(fault)
ours = [module for name, module in sys.modules.items() if name.startswith(("hpc_launch.", "hpc_launch_torque"))]
said["files"] = sorted({str(module.__file__) for module in ours})
said["others"] = sorted({"pydantic", "yaml", "jinja2", "typer", "distributed", "site"} & set(sys.modules))
print(json.dumps(said))
"""


def test_a_copy_of_it_works_without_anything_that_is_installed(tmp_path: Path, program: Program) -> None:
    travelling = tmp_path / "a copy"
    shutil.copytree(BATCH, travelling / "hpc_launch" / "batch", ignore=shutil.ignore_patterns("__pycache__"))
    for each in (ROOT / "tests" / "torque").glob("hpc_launch_torque*"):
        shutil.copytree(each, travelling / each.name, ignore=shutil.ignore_patterns("__pycache__", "templates"))
    (tmp_path / "job.sh").write_text("sleep 60\n")
    program("qsub", "echo 7.server")
    program("qstat", "printf 'Job Id: 7.server\\n    job_state = R\\n'")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(travelling)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", CODE], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert said["commands"]["torque"] == ["qsub", "-N", "alone", "job.sh"]
    assert said["options"] == {
        **{"slurm": "--partition", "pbs": "-q", "lsf": "-q", "local": None, "sge": "-q", "torque": "-q"}
    }
    assert (said["found"], said["states"], said["over"]) == (True, ["running", "running"], "gone")
    assert said["fault"].startswith("batch_system: 'slrum' is not known. Did you mean slurm?\n")
    assert said["files"] and all(file.startswith(f"{travelling}/") for file in said["files"])
    assert said["others"] == []


@pytest.mark.parametrize("file", sorted(BATCH.rglob("*.py")), ids=lambda file: str(file.relative_to(BATCH)))
def test_it_imports_the_standard_library_and_itself_alone(file: Path) -> None:
    """Also where only the types are needed. A batch system does not import another one, nor the shared part any."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    found |= {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    own = {name for name in found if name.partition(".")[0] == "hpc_launch"}
    assert {name.partition(".")[0] for name in found - own} <= sys.stdlib_module_names
    assert all(f"{name}.".startswith("hpc_launch.batch.") for name in own)
    home = file.parent.name if file.parent != BATCH else None
    systems = {name.split(".")[2] for name in own if name.count(".") > 1} & set(BUILT_IN)
    assert systems <= {home}
