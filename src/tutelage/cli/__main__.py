"""`python -m tutelage.cli` is `tutelage`."""

from . import main

main()
