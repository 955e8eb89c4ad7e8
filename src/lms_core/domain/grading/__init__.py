"""From scores to grades."""
