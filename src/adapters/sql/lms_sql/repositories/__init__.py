"""Repositories of the unit of work, within one transaction each."""
