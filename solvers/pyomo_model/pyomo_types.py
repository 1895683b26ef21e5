"""What Pyomo, which has no type annotations, makes: the one place that says so."""

from __future__ import annotations

from typing import Any, TypeAlias

Model: TypeAlias = Any
"""A concrete model, with the variables of `allocation`, `power`, `phases` and `rates` as attributes."""

Expression: TypeAlias = Any
"""A variable, a constant, or what operators make of them."""

Relation: TypeAlias = Any
"""A constraint's rule: an equation, an inequality, or Pyomo's `Constraint.Skip` and the like."""
