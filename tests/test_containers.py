"""Container runtimes by name: what each of them is told, and that no others are taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hpc_launch.errors import InvalidConfiguration
from hpc_launch.prepare import Prepared
from hpc_launch.template_names import known
from tests.conftest import ROOT
from tests.rendering import GOLDEN, shellcheck, write

Prepare = Callable[..., Prepared]
RUNTIMES = ["apptainer", "podman-hpc", "shifter", "singularity"]
PROFILE = """
workers: {count: 2, memory: 1 GiB, gpus: 1}
environment:
  container: {image: dask-2026.sif, binds: ["data sets:/data:ro", $SCRATCH]}
  variables: {PATH: "/opt/x/bin:$PATH"}
workload: {command: [python, work.py], directory: /project/a}
"""


def contained(prepare: Prepare, directory: Path, runtime: str, image: str = "dask-2026.sif") -> Prepared:
    site = (ROOT / "tests/site/testcluster.yaml").read_text()
    own = f"containers: {runtime}\nresources: {{gpus: '--gres=gpu:{{n}}'}}\n"
    (directory / "own.yaml").write_text(site + own)
    return prepare(PROFILE.replace("dask-2026.sif", image), site="./own.yaml")


def test_these_are_known() -> None:
    assert known("containers") == RUNTIMES
    assert sorted(path.stem for path in (GOLDEN / "containers").glob("*.sh")) == RUNTIMES


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_its_script_is_rendered_as_in_the_golden_file(prepared: Prepare, tmp_path: Path, runtime: str) -> None:
    made = contained(prepared, tmp_path, runtime)
    rendered = made.rendered.files["container.sh"].replace(str(tmp_path), "/home/user")
    assert rendered == (GOLDEN / "containers" / f"{runtime}.sh").read_text(encoding="utf-8")
    directory = write(made, tmp_path / "run")
    assert shellcheck(directory, "container.sh", "node.sh", "environment.sh", "workload.sh") == ""
    assert f"command -v {runtime} >" in made.rendered.files["node.sh"].replace('"', "")


@pytest.mark.parametrize(
    ("runtime", "image", "said"),
    [
        ("apptainer", "docker://ghcr.io/dask/dask:2026.1", " docker://ghcr.io/dask/dask:2026.1 "),
        ("apptainer", "$HOME/images/dask.sif", ' "$HOME/images/dask.sif" '),
        ("podman-hpc", "registry.example.org/lab/dask:2026", " registry.example.org/lab/dask:2026 "),
        ("shifter", "lab/dask:2026", "--image=lab/dask:2026 "),
        ("shifter", "docker://lab/dask:2026", "--image=docker:lab/dask:2026 "),
        ("shifter", "lab/dask:$TAG", '--image="lab/dask:$TAG" '),
        ("podman-hpc", "lab/dask:$TAG", ' "lab/dask:$TAG" '),
    ],
)
def test_an_image_is_a_file_or_a_name_as_its_runtime_knows_it(
    prepared: Prepare, tmp_path: Path, runtime: str, image: str, said: str
) -> None:
    assert said in contained(prepared, tmp_path, runtime, image).rendered.files["container.sh"].splitlines()[-1]


def test_another_runtime_is_refused_with_those_there_are(prepared: Prepare, tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration) as refusal:
        contained(prepared, tmp_path, "aptainer")
    text = str(refusal.value)
    assert "own.yaml:" in text and "containers: 'aptainer' is not known; did you mean 'apptainer'?" in text
    assert f"there are: {', '.join(RUNTIMES)}; a plug-in can bring others" in text
