"""Measuring: the reports of runs, at their end and again later."""
