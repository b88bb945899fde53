"""The keeper: brings each group's pool of worker jobs to its target.

Imports the standard library, `hpc_launch.batch` and itself alone: it travels with runs, and runs beside the scheduler.
"""
