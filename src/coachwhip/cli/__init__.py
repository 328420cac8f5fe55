"""The `coachwhip` command: one module per command; the only package that prints and exits."""
