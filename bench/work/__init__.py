"""How fast programs work once they have started; see `bench/README.md`."""
