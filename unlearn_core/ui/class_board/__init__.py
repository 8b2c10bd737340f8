"""Class boards: the link of the room, and following it."""
