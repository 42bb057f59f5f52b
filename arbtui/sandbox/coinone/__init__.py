"""The local Coinone."""
