"""Shared figures, colours and wording: what several charts draw with."""
