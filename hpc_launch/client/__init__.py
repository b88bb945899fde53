"""What notebooks use: a client of a run, and a cluster object that is a thin hand on one."""
