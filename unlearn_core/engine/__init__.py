"""Execution of jobs, from a spec to a report, without the queue and the pages."""
