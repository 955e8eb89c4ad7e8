"""Courses as folders of Markdown, quizzes and lectures."""
