"""The page Forget."""
