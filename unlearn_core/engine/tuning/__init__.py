"""Tuning: the search with which a run with the preset `auto` finds its hyperparameters."""
