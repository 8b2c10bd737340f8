"""Uploaded checkpoints: the form, and the result of their validation."""
