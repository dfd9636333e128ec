"""Speed and size, measured against real servers on this machine: `make bench`, or `python -m tests.bench --help`."""
