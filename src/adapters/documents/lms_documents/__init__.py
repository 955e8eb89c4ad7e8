"""Mails, certificates and credentials: rendered and signed on this machine."""
