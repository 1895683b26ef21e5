"""Channels that change from round to round: how long a schedule stays good, and schedules that are meant to stay so."""

from epsl_opt.studies.dynamics.study import DynamicsStudy

__all__ = ["DynamicsStudy"]
