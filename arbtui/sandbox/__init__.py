"""The sandbox: local venues with the venues' own protocols and simulated money, on the venue core."""
