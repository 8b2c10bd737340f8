"""Architectures, classifiers and their weights."""
