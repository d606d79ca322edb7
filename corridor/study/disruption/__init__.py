"""Closures: what is lost, what is left, and the worst that can happen."""
