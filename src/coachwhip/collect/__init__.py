"""Wheels, the runtime's standard library and the app's start code -> layers -> a bundle."""
