"""The evidence sheet: one page that says what was tested and how surely, and a folder from which it is recomputed."""
