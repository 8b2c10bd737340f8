"""Makes the finished runs that ship with the project."""
