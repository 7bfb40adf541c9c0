"""Adverts and the accounts behind them: proposed list changes, links, activity, hunts."""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing yet."""
