"""A payment gateway for trying things out: hosted page, test cards, webhooks."""
