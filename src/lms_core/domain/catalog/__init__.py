"""Courses, modules and lessons."""
