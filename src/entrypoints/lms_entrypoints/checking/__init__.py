"""What `lms demo --check` looks with."""
