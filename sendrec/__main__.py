"""`python -m sendrec` is the command `sendrec`."""

from sendrec.cli import main

main()
