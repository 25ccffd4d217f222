"""`python -m refract` is `refract`."""

from typing import NoReturn

from flows import cli
from flows.warm.ending import end_by


def main() -> NoReturn:
    """Be the program `refract`."""
    end_by(cli.main)


if __name__ == "__main__":
    main()
