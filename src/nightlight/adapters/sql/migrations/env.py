"""Alembic runs this to migrate: on the connection it is given, in one transaction."""

from alembic import context

from nightlight.adapters.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
