"""The page All methods."""
