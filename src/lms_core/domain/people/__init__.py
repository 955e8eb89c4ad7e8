"""Users, roles and sessions."""
