"""Workloads that go wrong in a usual way."""

MAIN = "if __name__ == '__main__':\n    "
"""LocalCluster starts processes, which import the script."""
OWN_CLUSTER = (
    "from dask.distributed import Client, LocalCluster\n"
    + MAIN
    + "print(Client(LocalCluster(1, dashboard_address=':0')).submit(sum, [1, 2]).result())"
)
WITHOUT_A_TASK = "from dask.distributed import Client\nprint(Client().scheduler.address)"
WITH_A_TASK = "from dask.distributed import Client\nprint(Client().submit(sum, [1, 2]).result())"
OWN_WORKERS = "from dask.distributed import Client\nprint(Client(n_workers=4).submit(sum, [1, 2]).result())"
EATING = """
from dask.distributed import Client

def eat():
    data = []
    while True:
        data.append(bytearray(20_000_000))

Client().submit(eat).result()
"""
