"""Verdicts: the paired comparison of two models, the rule, and the verdicts of a report."""
