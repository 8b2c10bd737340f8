"""Forecasts: how long a job will take on this machine, as a range."""
