"""A venue that does not exist, as the simulator and the sandbox find it: its packages lie beside those of the real ones."""
