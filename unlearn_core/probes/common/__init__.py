"""Computations that several measurements share."""
