"""A learner's place on a course."""
