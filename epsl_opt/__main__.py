"""`python -m epsl_opt`: the command line."""

from epsl_opt.cli import main

if __name__ == "__main__":
    main()
