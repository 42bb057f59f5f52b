"""Binance: wire decoder and market rules."""
