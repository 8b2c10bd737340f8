"""Charts of a sweep, one module each with a SWEEP_CHART."""
