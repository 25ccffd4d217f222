"""`python -m refract` is `refract`."""

from flows.cli import main

if __name__ == "__main__":
    main()
