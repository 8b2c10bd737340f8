"""The answers and the runs of everybody in a room, for the projector."""

from unlearn_core.ui.pages.learn import room_board

room_board.show()
