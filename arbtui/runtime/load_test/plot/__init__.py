"""The plot of a load test: one drawing, told once in shapes, written as SVG and as PNG."""
