"""The page Run: from waiting to the report."""
