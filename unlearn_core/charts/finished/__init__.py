"""Figures as they are sent to a browser: plain values, which it draws once."""
