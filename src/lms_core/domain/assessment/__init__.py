"""Quizzes and attempts at them."""
