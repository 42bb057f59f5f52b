"""Coinone: wire decoder and market rules."""
