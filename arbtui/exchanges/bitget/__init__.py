"""Bitget spot, second interface (v2): wire decoder, market rules, orders."""
