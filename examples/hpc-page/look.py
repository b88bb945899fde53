"""Say what the cluster is like that this program runs on: its addresses, its local directories, whether it spills.

Of hpc-launch it knows nothing. `Client()` finds the cluster by its environment; `--scheduler-file` is for programs that
want Dask's scheduler file.
"""

import argparse
import os

from dask.distributed import Client


def about(dask_worker):
    """Of one worker: its host's address, where it keeps files, and from which share of its memory on it spills."""
    address = dask_worker.address.rpartition(":")[0]
    directory = os.path.dirname(os.path.dirname(dask_worker.local_directory))
    return address, directory, dask_worker.memory_manager.memory_spill_fraction


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scheduler-file", help="Dask's scheduler file (default: what the environment says)")
    arguments = parser.parse_args()
    with Client(scheduler_file=arguments.scheduler_file) as client:
        workers = list(client.run(about).values())
        total = sum(client.gather(client.map(lambda x: x * x, range(1000))))
    for number, title in enumerate(["address", "local directory", "spills from"]):
        print(f"{title}: {', '.join(sorted({str(worker[number]) for worker in workers}))}")
    print(f"workers: {len(workers)}; the sum of the squares is {total}")


if __name__ == "__main__":
    main()
