"""One run of one solver: our clock, our check, our gap; live re-scheduling."""
