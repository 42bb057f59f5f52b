"""Announcements of venues, read."""
