"""What every page shares: navigation, URL state, caches, and the worker's status."""
