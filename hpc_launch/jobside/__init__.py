"""What travels into the run directory: needs bash, coreutils and distributed there, and nothing of this package."""
