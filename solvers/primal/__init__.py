"""Schedules: allocations, powers, rounding, and offering what is found."""
