"""The answers and the runs of everybody in a room, for the projector."""

from unlearn_core.ui.class_board import board

board.show()
