"""Measures how fast a run is here: alone, beside other programs, and for an architecture before there are images."""
