"""Add the machine's uptime to leases and heartbeats, which changes of the clock do not affect."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("run", "worker", "sweep"):
        op.add_column(table, sa.Column("boot", sa.String(40)))
        op.add_column(table, sa.Column("uptime", sa.Double))
