"""Training: the shared PyTorch code that methods and probes are built on; independent of any method."""

REVISION = 1
"""Raise it if a change in this package alters resulting weights: earlier results then count as outdated."""
