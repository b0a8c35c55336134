"""`python -m digest`: the same program as the command."""

from digest.cli import main

main()
