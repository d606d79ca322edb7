"""Comparisons of the hot paths with peer libraries: ``python -m benchmarks``."""
