"""What surrounds every page: navigation, URL state, caches, the worker."""
