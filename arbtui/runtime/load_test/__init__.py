"""`arbtui load-test`: the same program at several sizes, measured from inside and outside, and judged."""
