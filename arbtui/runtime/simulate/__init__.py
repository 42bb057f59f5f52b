"""The deterministic simulation: the whole program on one virtual clock, with faults and crashes from one seed."""
