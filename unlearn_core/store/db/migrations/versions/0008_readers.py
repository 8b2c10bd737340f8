"""Add the tables of those who want one run together, and of what the operator has switched on.

A run that is shared can be on several class boards.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reader",
        sa.Column(
            "run", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("visitor", sa.String(200), primary_key=True),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("joined", sa.Double, nullable=False),
    )
    op.create_index("reader_visitor", "reader", ["visitor"])
    op.create_table(
        "run_of_board",
        sa.Column(
            "run", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("board", sa.String(8), sa.ForeignKey("board.code", ondelete="CASCADE"), primary_key=True),
    )
    op.execute("INSERT INTO run_of_board SELECT run, board FROM board_run")
    op.drop_table("board_run")
    op.rename_table("run_of_board", "board_run")
    op.create_index("board_run_board", "board_run", ["board"])
    op.create_table(
        "switch",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("since", sa.Double, nullable=False),
    )
