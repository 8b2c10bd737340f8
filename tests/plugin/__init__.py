"""A data set and a classifier so small that a run takes a second; never shipped, only tested with."""
