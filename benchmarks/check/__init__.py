"""Benchmarks of the check."""
