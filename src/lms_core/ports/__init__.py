"""What the application needs from the outside world, one protocol a module."""
