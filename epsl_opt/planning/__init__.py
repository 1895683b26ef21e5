"""What to run, so that the target accuracy comes soonest: certified latencies and pilot trainings, joined."""
