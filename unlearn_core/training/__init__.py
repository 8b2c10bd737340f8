"""The pieces of torch that every method and probe builds on, and that know no method."""

REVISION = 1
"""Raise it when a change in this package gives other weights: what was measured before is then outdated."""
