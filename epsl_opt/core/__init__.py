"""What the problem is: instance, schedule, latency, frameworks, the checker, results."""
