"""Charts of what a single method stores to be shown, its artifacts, one file each with a CHART."""
