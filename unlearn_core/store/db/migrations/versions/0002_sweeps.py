"""Add the tables of sweeps and their trials."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sweep",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("finished", sa.Double),
        sa.Column("error", sa.Text),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("worker", sa.String(200)),
        sa.Column("lease", sa.Double),
        sqlite_autoincrement=True,
    )
    op.create_index("sweep_state", "sweep", ["state"])
    op.create_table(
        "trial",
        sa.Column("sweep", sa.Integer, sa.ForeignKey("sweep.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("run", sa.Integer, sa.ForeignKey("run.id", ondelete="SET NULL")),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("attributes", sa.Text, nullable=False),
        sa.Column("stopped", sa.Text),
    )
    op.create_index("trial_run", "trial", ["run"], unique=True)
