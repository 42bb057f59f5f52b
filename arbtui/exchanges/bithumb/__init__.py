"""Bithumb: wire decoder and market rules."""
