"""What happens after an event left the outbox."""
