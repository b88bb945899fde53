"""LSF, and what descends from it."""
