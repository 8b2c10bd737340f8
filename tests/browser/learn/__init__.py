"""The pages that teach, in a real browser."""
