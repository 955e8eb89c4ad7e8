"""Adapters on SQLite and PostgreSQL, by the same SQLAlchemy code."""
