"""The page Queue: devices, what waits in which order, and the switch for a class."""
