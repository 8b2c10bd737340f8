"""The worker: a supervisor process per device, with warm child processes that execute the runs."""
