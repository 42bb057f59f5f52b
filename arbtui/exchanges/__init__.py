"""Venues: the adapter contract, wire decoders, market rules. One folder a venue."""
