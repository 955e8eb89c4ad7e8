"""Proof that a course was completed."""
