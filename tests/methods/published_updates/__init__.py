"""Methods whose whole update is computed a second time, plainly, from their papers."""
