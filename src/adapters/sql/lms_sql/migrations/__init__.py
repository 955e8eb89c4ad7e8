"""Changes to the tables, in order, as Alembic scripts that the wheel carries."""
