"""Measurements on request in a report: their offer and progress, and the map of features."""
