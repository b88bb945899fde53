"""Many small tasks, done by worker jobs that come and go.

Nothing in here knows of that: the tasks wait as long as no worker is there, a worker job that nears its walltime ends
its tasks before it leaves, and another one takes its place.
"""

import argparse
import os
import time
from collections import Counter

from dask.distributed import Client, as_completed


def work(number, seconds):
    """A task that takes so long; returns its number, and the worker job that did it."""
    time.sleep(seconds)
    return number, os.environ["HPC_LAUNCH_JOB_ID"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=600, help="how many (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="each takes so long (default: %(default)s)")
    arguments = parser.parse_args()
    with Client() as client:
        print(f"{arguments.tasks} tasks wait for workers", flush=True)
        futures = client.map(work, range(arguments.tasks), seconds=arguments.seconds)
        results = as_completed(futures, with_results=True)
        del futures  # a result that was fetched is to stay on no worker: it would have to move when that leaves
        done = [result for _, result in results]
    jobs = Counter(job for _, job in done)
    print(f"the sum of their numbers is {sum(number for number, _ in done)}")
    print(f"done by {len(jobs)} worker jobs: {', '.join(str(tasks) for tasks in jobs.values())} tasks")


if __name__ == "__main__":
    main()
