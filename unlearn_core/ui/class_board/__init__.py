"""Class boards: a visitor follows the board of the room, and the board itself for the projector."""
