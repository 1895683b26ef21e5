"""The torch backend with a rule of aggregation that is no option."""

from __future__ import annotations

from functools import partial

from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.backends.pytorch.backend import materials
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.rounds import Models, Rule
from epsl_opt.backends.pytorch.session import TorchSession
from epsl_opt.plugins.backend import TrainingPlan


class StudyBackend(TorchBackend):
    """The torch backend whose aggregated positions pass the server by a rule, whatever the options say, if it has one.

    Parameters
    ----------
    rule
        The rule.
    """

    def __init__(self, rule: Rule | None = None) -> None:
        self.rule = rule

    def start(self, plan: TrainingPlan, options: TorchOptions) -> TorchSession:
        """Load the data, deal them out, and set the models up, as the torch backend does."""
        return TorchSession(plan, options, *materials(plan, options), deploy=partial(Models, rule=self.rule))
