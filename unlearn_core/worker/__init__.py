"""The processes that own the devices: a supervisor for each, and under it the warm children that do the work."""
