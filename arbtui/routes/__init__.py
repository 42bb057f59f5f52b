"""Routes: what can be bought here and sold there, and what is left after everything is paid."""
