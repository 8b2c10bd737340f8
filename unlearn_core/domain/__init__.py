"""Plain typed values and protocols that every other layer shares; no torch, no input, no output."""
