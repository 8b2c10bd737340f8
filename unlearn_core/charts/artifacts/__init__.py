"""Charts of artifacts, one file each with a CHART: what a single method stores, and the settings that a run tried."""
