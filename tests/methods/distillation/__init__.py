"""Methods that distil."""
