"""Estimate π by throwing random points at a square: the share that lands in the circle is π/4.

After the Monte-Carlo example of the SCINet geospatial workshop (Ceres, 2020). The points are made and counted on the
workers; only the counts come back.
"""

import argparse
import math
import time

import dask.array as da
from dask.distributed import Client
from dask.utils import format_bytes, parse_bytes


def inside(points):
    """How many of the points, an array of shape (n, 2) in [0, 1), lie in the quarter circle."""
    return ((points**2).sum(axis=1) < 1).sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="2GB", help="of all random numbers together (default: %(default)s)")
    parser.add_argument("--chunk", default="50MB", help="of the numbers of one task (default: %(default)s)")
    arguments = parser.parse_args()
    size, chunk = parse_bytes(arguments.size), parse_bytes(arguments.chunk)
    if not 16 <= chunk <= size:
        parser.error(f"a chunk of {chunk} bytes does not go into {size} bytes")

    points, points_per_chunk = size // 16, chunk // 16  # two numbers of eight bytes make a point
    with Client() as client:  # the cluster's address and keys are in the environment
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        start = time.perf_counter()
        cloud = da.random.default_rng(1).random((points, 2), chunks=(points_per_chunk, 2))
        estimate = 4 * inside(cloud).compute() / points
        seconds = time.perf_counter() - start

    print(f"pi = {estimate:.6f}")
    print(f"error = {abs(estimate - math.pi):.6f}")
    print(f"workers = {workers}")
    print(f"seconds = {seconds:.3f} for {format_bytes(size)} in chunks of {format_bytes(chunk)}")


if __name__ == "__main__":
    main()
