"""For a room full of people: slides, the link of a class board, and following it."""
