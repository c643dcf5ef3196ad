"""`python -m tutelage` is the command line."""

from .cli import main

main()
