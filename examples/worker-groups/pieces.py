"""Many small tasks, and a few that need much memory: these ask for a resource that only large workers have."""

import argparse
import sys
import time
from collections import Counter

from dask.distributed import Client, get_worker


def kind():
    """Of the worker that this task runs on."""
    return "large" if "large" in get_worker().state.total_resources else "small"


def measure(number, seconds):
    """A piece of data, after so many seconds; where it was made."""
    time.sleep(seconds)
    return number, kind()


def combine(pieces):
    """All pieces at once, which takes memory."""
    return sum(number for number, _ in pieces), kind(), Counter(where for _, where in pieces)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pieces", type=int, default=60, help="how many (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=1.0, help="each takes so long (default: %(default)s)")
    arguments = parser.parse_args()
    with Client() as client:
        pieces = client.map(measure, range(arguments.pieces), seconds=arguments.seconds)
        total, where, measured = client.submit(combine, pieces, resources={"large": 1}).result()
    print(f"{arguments.pieces} pieces, their sum is {total}; combined on a {where} worker")
    print("measured on:", ", ".join(f"{name} workers {number}" for name, number in sorted(measured.items())))
    if where != "large":
        sys.exit("the task that asked for the resource ran on a worker without it")


if __name__ == "__main__":
    main()
