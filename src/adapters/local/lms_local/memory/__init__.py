"""Adapters that keep everything in memory: the fakes of the tests."""
