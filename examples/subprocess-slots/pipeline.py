"""A pipeline whose tasks run programs of their own, kept to one at a time on each worker by a resource.

Dask counts a worker's threads, not the programs that tasks start. A program that uses all cores or most of the memory
of a worker must be the only one there: each task asks for one `subprocess_slots`, of which each worker has one.

As pipelines of radio astronomy do, it takes the address of a Dask scheduler, or Dask's scheduler file.
"""

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from dask.distributed import Client, get_worker

PROGRAM = Path(__file__).resolve().with_name("program.py")
SLOT = {"subprocess_slots": 1}


def run_program(number, seconds):
    """Run the program for so long; returns the worker's name, and what the program says of itself."""
    done = subprocess.run([sys.executable, PROGRAM, str(seconds)], check=True, stdout=subprocess.PIPE)
    return str(get_worker().name), json.loads(done.stdout)


def most_at_once(programs):
    """The largest number of programs that ran at any moment."""
    changes = sorted([(each["begin"], 1) for each in programs] + [(each["end"], -1) for each in programs])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def round_of_tasks(client, count, seconds, resources):
    """Run the tasks; returns the most programs that ran at once on any worker."""
    futures = client.map(run_program, range(count), seconds=seconds, resources=resources, pure=False)
    by_worker = defaultdict(list)
    for worker, program in client.gather(futures):
        by_worker[worker].append(program)
    for worker, programs in sorted(by_worker.items()):
        threads, most = programs[0]["threads"], most_at_once(programs)
        print(f"  {worker}: programs: {len(programs)}, threads of each: {threads}, at most at once: {most}")
    return max(map(most_at_once, by_worker.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dask-scheduler", metavar="HOST:PORT", help="left out: what the environment says")
    parser.add_argument("--scheduler-file", metavar="FILE", help="in place of an address")
    parser.add_argument("--programs", type=int, default=4, help="in each round (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=1.0, help="each program runs so long (default: %(default)s)")
    arguments = parser.parse_args()
    with Client(arguments.dask_scheduler, scheduler_file=arguments.scheduler_file) as client:
        print("tagged with subprocess_slots=1:", flush=True)
        tagged = round_of_tasks(client, arguments.programs, arguments.seconds, SLOT)
        print("without the tag:", flush=True)
        untagged = round_of_tasks(client, arguments.programs, arguments.seconds, None)
    print(f"most at once on one worker: {tagged} tagged, {untagged} untagged")
    if tagged != 1:
        sys.exit("two programs ran on one worker although each asked for its only slot")


if __name__ == "__main__":
    main()
