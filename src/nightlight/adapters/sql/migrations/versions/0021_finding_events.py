"""When hunts found something in an event is told without looking through all findings."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("hunt_finding_event", "hunt_finding", ["event_key", "found_us"])
