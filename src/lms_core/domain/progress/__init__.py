"""What a learner has watched and finished."""
