"""Tuning in the open: trials around each preset `bundled`, and docs/tuning.md."""
