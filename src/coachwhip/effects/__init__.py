"""Files, cache, processes and network: the only package that touches the world."""
