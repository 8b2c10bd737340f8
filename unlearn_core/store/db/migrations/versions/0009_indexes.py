"""Add indexes for what every report asks: the repeats of a run, and the runs of a kind."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("run_group", "run", ["group"])
    op.create_index("run_kind", "run", ["kind", "state"])
