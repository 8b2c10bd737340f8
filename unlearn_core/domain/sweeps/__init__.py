"""Sweeps: their specification, search space, objectives and early stops."""
