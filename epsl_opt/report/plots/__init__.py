"""Pictures of schedules, rounds and comparisons."""
