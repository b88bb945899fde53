"""Runs: their directories and records, how they are submitted, watched and ended."""
