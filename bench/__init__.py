"""Measurements of Coachwhip's products beside plain Python and the peers; see `bench/README.md`."""
