"""Add how often a run lost its worker, apart from the deaths of its process, its start by the uptime, its silence."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("run", sa.Column("losses", sa.Integer, nullable=False, server_default="0"))
    op.add_column("run", sa.Column("began", sa.Double))
    op.add_column("run", sa.Column("silence", sa.Text))
