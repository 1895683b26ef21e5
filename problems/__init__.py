"""Scenarios, channel models, model profiles and the instance library."""
