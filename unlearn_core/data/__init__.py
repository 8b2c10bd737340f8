"""What can be loaded: classifiers and data sets, one file each."""
