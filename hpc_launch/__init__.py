"""Start a Dask cluster on a supercomputer from a short profile, run a workload on it, and keep a record of it."""

__version__ = "0.1.0"
