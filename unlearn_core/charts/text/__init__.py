"""Texts computed from the numbers of runs: the verdict, warnings, and the comparison of several runs."""
