"""Benchmarks: they produce the committed assets, RESULTS.md and the comparisons with published results."""
