"""Upbit: wire decoder and market rules."""
