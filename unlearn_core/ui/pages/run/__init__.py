"""The page Run: a run from queued to its report."""
