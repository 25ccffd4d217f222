"""`python -m flows` is `refract`, in a checkout."""

from flows.cli import main

main()
