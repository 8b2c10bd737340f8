"""Charts of a sweep, one file each with a SWEEP_CHART."""
