"""No batch system: jobs are processes of this machine."""
