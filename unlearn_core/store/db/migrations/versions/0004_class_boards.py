"""Add the tables of class boards, and of the answers and runs that are counted there."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "board",
        sa.Column("code", sa.String(8), primary_key=True),
        sa.Column("created", sa.Double, nullable=False),
    )
    op.create_table(
        "answer",
        sa.Column("board", sa.String(8), sa.ForeignKey("board.code", ondelete="CASCADE"), primary_key=True),
        sa.Column("lesson", sa.String(80), primary_key=True),
        sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("visitor", sa.String(32), primary_key=True),
        sa.Column("choice", sa.Integer, nullable=False),
    )
    op.create_table(
        "board_run",
        sa.Column(
            "run", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
        ),
        sa.Column("board", sa.String(8), sa.ForeignKey("board.code", ondelete="CASCADE"), nullable=False),
    )
    op.create_index("board_run_board", "board_run", ["board"])
