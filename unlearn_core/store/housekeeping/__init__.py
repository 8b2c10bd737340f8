"""Housekeeping of the data folder: what is stored of somebody, and how all of it is deleted."""
