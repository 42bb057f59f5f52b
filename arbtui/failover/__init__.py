"""Failover: what a restart takes up, and how it is made to agree with the venues before anything new opens."""
