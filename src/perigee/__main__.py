"""`python -m perigee`."""

from perigee.cli import main

if __name__ == "__main__":
    main()
