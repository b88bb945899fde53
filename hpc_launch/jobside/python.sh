# shellcheck shell=bash
# Which Python a run has whose profile names none: the one that modules, variables or setup put first on PATH, otherwise
# `own_python`, which runs hpc-launch. Sourced by environment.sh before those, with PATH as the site's own lines left it.

: "${own_python:?}"
pythons_before=":$(type -P python):$(type -P python3):"
# An MPI launcher's ranks have this environment loaded once more, and take what it has chosen.
python_is_chosen=${HPC_LAUNCH_PYTHON_IS-}

# What is first on PATH now and was not before; nothing if there is no such thing.
new_python() {
  local name path
  for name in python python3; do
    path=$(type -P "$name") || continue
    [[ $path != /* || $pythons_before == *":$path:"* ]] || { echo "$path"; return; }
  done
}

choose_python() { # KEY of the profile whose lines came last
  local python
  hash -r
  python=$(new_python)
  [ "${python%/*}" != "${own_python%/*}" ] || python=''
  [ -z "$python_is_chosen" ] || python=$HPC_LAUNCH_PYTHON
  if [ "${python:-$own_python}" != "${HPC_LAUNCH_PYTHON-}" ]; then
    export HPC_LAUNCH_PYTHON=${python:-$own_python} HPC_LAUNCH_PYTHON_IS="the one that runs hpc-launch"
    [ -z "$python" ] || HPC_LAUNCH_PYTHON_IS="put first on PATH by $1; hpc-launch itself runs in $own_python"
  fi
  # So is what is called `python` in the lines that follow, and by the workload.
  python=$(type -P python || type -P python3) || true
  [ "${python%/*}" = "${HPC_LAUNCH_PYTHON%/*}" ] || lead_path "${HPC_LAUNCH_PYTHON%/*}"
}

lead_path() { # DIRECTORY; once is enough where the run's Python is missing, and cannot be found in it
  [ -x "$HPC_LAUNCH_PYTHON" ] || [[ :${PATH-}: != *":$1:"* ]] || return 0
  export PATH="$1${PATH:+:$PATH}"
}
