"""What a venue's announcement means for trading: read by rules that are data, answered by steps that only ever reduce. No I/O."""
