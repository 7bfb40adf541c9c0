"""What the record calls account actions where everybody may look.

Those that stand in it under their id go on under it: what was recorded before cannot be renamed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = sa.inspect(op.get_bind()).get_columns("account_action")
    # Where revision 0008 gave past account actions a name, the column is there.
    if all(one["name"] != "record_name" for one in columns):
        named = sa.Column(
            "record_name", sa.String(64), nullable=False, server_default=sa.text("''")
        )
        op.add_column("account_action", named)
