"""Charts of one run or several, one file each with a CHART."""
