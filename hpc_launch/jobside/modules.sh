# shellcheck shell=bash
# Environment modules that a run needs, or a sentence. Sourced by environment.sh.

failed() { echo "$1" >&2; return 1; }

load_module() { # NAME
  local before=${LOADEDMODULES-}
  { module load "$1" && may_be_loaded "$1" "$before"; } || failed "the module $1 cannot be loaded"
}
# Modules 3 ends with 0 whatever happens (Modules 4, notes on migrating): there, the list of those that are loaded tells.
may_be_loaded() { # NAME, what was loaded before
  [[ ${MODULE_VERSION-} != 3.* || ${LOADEDMODULES-} != "$2" || ":$2:/" == *":$1"[:/]* || -n ${HPC_LAUNCH_PYTHON_IS-} ]]
}

type module >/dev/null 2>&1 || failed "there is no command \`module\` here: environment.setup of the site profile can bring it"
