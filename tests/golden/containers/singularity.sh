#!/bin/bash
# shellcheck disable=SC1003,SC2016,SC2034
# A command in the run's container, in the directory and with the environment in which this is called: container.sh COMMAND…
# Variables that reach the inside whatever its image says of them.
variables=()
for name in "${!DASK_@}" "${!HPC_LAUNCH_@}" PYTHONPATH PYTHONUNBUFFERED CUDA_VISIBLE_DEVICES ROCR_VISIBLE_DEVICES \
  OMP_NUM_THREADS MKL_NUM_THREADS OPENBLAS_NUM_THREADS PATH; do
  [ -z "${!name+set}" ] || variables+=("$name")
done
# Directories of the host that it sees under their own names, those of the run; and further ones.
seen=("$HPC_LAUNCH_RUN_DIR" /project/a ${HPC_LAUNCH_LOCAL_DIRECTORY:+"$HPC_LAUNCH_LOCAL_DIRECTORY"})
binds=('/home/user/data sets:/data:ro' "$SCRATCH")
for name in "${variables[@]}"; do export "SINGULARITYENV_$name=${!name}" "APPTAINERENV_$name=${!name}"; done
options=()
for directory in "${seen[@]}" "${binds[@]}"; do options+=(--bind "$directory"); done
exec singularity exec --nv "${options[@]}" /home/user/dask-2026.sif "$@"
