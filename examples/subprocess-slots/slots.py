"""Tasks that run a program of their own, kept to one at a time on each worker by a resource.

Dask counts a worker's threads, not the programs that tasks start. A program that uses a whole node's cores or memory
must therefore be the only one on its worker: each task asks for one `subprocess_slots`, of which each worker has one.
"""

import argparse
import subprocess
import sys
import time
from collections import defaultdict

from dask.distributed import Client, get_worker

PROGRAM = "import sys, time; time.sleep(float(sys.argv[1]))"


def run_program(number, seconds):
    """Run a real child process for so many seconds; returns the worker's name and when it began and ended."""
    begin = time.time()
    subprocess.run([sys.executable, "-c", PROGRAM, str(seconds)], check=True)
    return str(get_worker().name), begin, time.time()


def most_at_once(intervals):
    """The largest number of intervals that overlap at any moment."""
    changes = sorted([(begin, 1) for begin, _ in intervals] + [(end, -1) for _, end in intervals])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def round_of_tasks(client, count, seconds, resources):
    """Run the tasks; returns the most programs that ran at once on any worker."""
    futures = client.map(run_program, range(count), seconds=seconds, resources=resources, pure=False)
    by_worker = defaultdict(list)
    for worker, begin, end in client.gather(futures):
        by_worker[worker].append((begin, end))
    for worker, intervals in sorted(by_worker.items()):
        print(f"  {worker}: {len(intervals)} programs, at most {most_at_once(intervals)} at once")
    return max(map(most_at_once, by_worker.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=8, help="programs in each round (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="each program runs so long (default: %(default)s)")
    arguments = parser.parse_args()
    with Client() as client:
        print("tagged with subprocess_slots=1:")
        tagged = round_of_tasks(client, arguments.tasks, arguments.seconds, {"subprocess_slots": 1})
        print("without the tag:")
        untagged = round_of_tasks(client, arguments.tasks, arguments.seconds, None)
    print(f"most at once on one worker: {tagged} tagged, {untagged} untagged")
    if tagged != 1:
        sys.exit("two programs ran on one worker although each asked for its only slot")


if __name__ == "__main__":
    main()
