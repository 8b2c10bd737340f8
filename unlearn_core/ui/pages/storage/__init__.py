"""The page Storage: what is stored of a visitor, and how it is deleted."""
