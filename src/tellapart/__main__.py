"""``python -m tellapart`` is the command ``tellapart``."""

from tellapart.cli import main

main()
