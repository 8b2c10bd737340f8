"""Data sets: those that ship, those that users import, and what both share."""
