"""Configuration as people write it: YAML with line marks, layers, and where each value came from."""
