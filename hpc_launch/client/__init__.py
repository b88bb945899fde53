"""What notebooks use: a client of a run, and a cluster object that stands for one."""
