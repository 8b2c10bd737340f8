"""The queue and history of runs: scheduling, leases, workers, sweeps and repeats."""
