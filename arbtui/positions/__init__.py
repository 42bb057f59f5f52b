"""Positions: what is held where, what is promised to orders under way, and what it all earned."""
