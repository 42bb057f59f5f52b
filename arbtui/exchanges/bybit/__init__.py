"""Bybit: wire decoder and market rules."""
