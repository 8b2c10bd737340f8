"""Create the first tables: runs, points of live curves, workers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("request", sa.String(16)),
        sa.Column("about", sa.Integer),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("group", sa.String(200)),
        sa.Column("parent", sa.Integer, sa.ForeignKey("run.id", ondelete="SET NULL")),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("device", sa.String(40)),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("deaths", sa.Integer, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("started", sa.Double),
        sa.Column("finished", sa.Double),
        sa.Column("error", sa.Text),
        sa.Column("progress", sa.Text),
        sa.Column("headline", sa.Text, nullable=False),
        sa.Column("cancelling", sa.Boolean, nullable=False),
        sa.Column("worker", sa.String(200)),
        sa.Column("lease", sa.Double),
        sqlite_autoincrement=True,
    )
    op.create_index("run_queue", "run", ["state", "priority", "owner", "id"])
    op.create_index("run_served", "run", ["finished"])
    op.create_index("run_request", "run", ["request"])
    op.create_index("run_about", "run", ["about"])
    op.create_table(
        "point",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run", sa.Integer, sa.ForeignKey("run.id", ondelete="CASCADE"), nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("forget", sa.Double),
        sa.Column("retain", sa.Double),
    )
    op.create_index("point_run", "point", ["run", "step"])
    op.create_table(
        "worker",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("device", sa.String(40), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("seen", sa.Double, nullable=False),
    )
