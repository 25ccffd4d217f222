"""`python -m flows` is `refract`."""

from flows.cli import main

main()
