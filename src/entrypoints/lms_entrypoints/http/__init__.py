"""The REST API: routes name use cases, and nothing is decided here."""
