"""`python -m myapp`."""

from myapp.cli import main

main()
