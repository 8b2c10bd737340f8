"""UNSIR: what its noise does at each learning rate, and a run in pictures."""
