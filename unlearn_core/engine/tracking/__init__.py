"""How a run is followed while it goes on: its steps and curves, and what the model gives at some moments."""
