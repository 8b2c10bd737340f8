"""The queue: runs, leases, workers, sweeps and repeats."""
