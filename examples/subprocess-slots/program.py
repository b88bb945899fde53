"""Stands for a program that computes with as many threads as OMP_NUM_THREADS says, and knows nothing of Dask."""

import hashlib
import json
import os
import sys
import threading
import time

DATA = bytes(2**20)


def compute(end):
    """Keep a core busy until then: hashing needs no Python lock."""
    while time.time() < end:
        hashlib.sha256(DATA)


def main():
    begin, threads = time.time(), int(os.environ["OMP_NUM_THREADS"])
    end = begin + float(sys.argv[1])
    computing = [threading.Thread(target=compute, args=(end,)) for _ in range(threads)]
    for thread in computing:
        thread.start()
    for thread in computing:
        thread.join()
    print(json.dumps({"begin": begin, "end": time.time(), "threads": threads}))


if __name__ == "__main__":
    main()
