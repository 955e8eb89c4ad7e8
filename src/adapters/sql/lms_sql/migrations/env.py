"""Run by Alembic: applies the scripts on the connection that `migrate` opened."""

from alembic import context

from lms_sql.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
