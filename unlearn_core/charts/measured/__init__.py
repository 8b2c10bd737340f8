"""Charts of the measured tables that ship in assets/results: one question a file."""
