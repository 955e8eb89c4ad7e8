"""Lectures and what is made of them."""
