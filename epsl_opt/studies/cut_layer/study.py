"""The cut layer: latency, leakage and accuracy, to be weighed against one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import ClassVar

from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.core.results import Limits
from epsl_opt.plugins.study import Point, Row, Section, StudySize, Table
from epsl_opt.problems.sources import load_instance
from epsl_opt.solving.solve import solve
from epsl_opt.studies.cut_layer.latency import (
    BANDWIDTH,
    CHANNELS,
    SERVER,
    latency_findings,
    min_cut_findings,
    prices,
)
from epsl_opt.studies.cut_layer.latency_pictures import latency_pictures
from epsl_opt.studies.cut_layer.learning import learning_findings, learning_picture, learning_rows
from epsl_opt.studies.shared.rows import select
from epsl_opt.studies.shared.scenario import paper
from epsl_opt.studies.shared.settings import FULL, PSL, QUICK, SYNTHETIC, Budget, Method, Setting, epsl
from epsl_opt.studies.shared.training_study import TrainingStudy

BANDWIDTHS_HZ = {StudySize.QUICK: (1e5, 10e6, 100e6), StudySize.FULL: (1e5, 3e5, 1e6, 10e6, 100e6)}
SERVERS_CYCLES_PER_S = {StudySize.QUICK: (1e9, 5e9, 125e9), StudySize.FULL: (1e9, 2.5e9, 5e9, 25e9, 125e9)}
DRAWS = {StudySize.QUICK: 4, StudySize.FULL: 10}
LIMITS = Limits(time_s=20.0, rel_gap=5e-3)
"""Latencies of cut layers differ by more; a few draws take minutes to be proved to a thousandth."""

NETWORKS = {
    "digits, cnn": ("digits", "cnn", 0.90, ("conv1", "pool1", "conv2", "pool2", "fc1")),
    "digits, mlp": ("digits", "mlp:depth=4", 0.90, ("fc1", "fc2", "fc3", "fc4")),
    "synthetic, cnn": (SYNTHETIC, "cnn", 0.80, ("conv1", "pool1", "conv2", "pool2", "fc1")),
}
CUTS: Mapping[StudySize, Mapping[str, tuple[str, ...]]] = {
    StudySize.QUICK: {"digits, cnn": ("conv1", "pool1", "fc1")},
    StudySize.FULL: {name: network[-1] for name, network in NETWORKS.items()},
}
METHODS = {method.label: method for method in (PSL, epsl(0.5), Method("SFL", Framework.SFL))}
BUDGETS = {StudySize.QUICK: QUICK, StudySize.FULL: FULL}


class CutLayerStudy(TrainingStudy):
    """The quickest cut layer, the one that tells least of the data, and the one that learns best."""

    name: ClassVar[str] = "cut-layer"
    title: ClassVar[str] = "The cut layer: latency, leakage, accuracy"
    question: ClassVar[str] = (
        "Where is the quickest cut layer, how does it move with bandwidth and server speed, how much of the data "
        "does the smashed data of each cut give away, and how well is a network trained that is cut there?"
    )

    def points(self, size: StudySize) -> Sequence[Point]:
        """Return latencies by condition and draw, choices under limits by draw, and trainings by cut and method."""
        return [*_latency_points(size), *_min_cut_points(size), *_learning_points(size)]

    def run(self, point: Point) -> Sequence[Row]:
        """Return a row per cut layer, or one per trained seed."""
        match point["part"]:
            case "latency":
                return list(_latencies(point))
            case "min-cut":
                return list(_choices(load_instance(paper(**_scenario(point)))))
            case _:
                return list(_learned(point))

    def conclude(self, rows: Sequence[Row], size: StudySize) -> Section:
        """Say where the optimum moves, and what it costs in leakage and accuracy."""
        latencies, choices, learned = (select(rows, part=part) for part in ("latency", "min-cut", "learning"))
        limits, learning = prices(choices), learning_rows(learned)
        caption = "The first cut layer that is allowed, the latency over that without a limit, and what is chosen."
        tables = [Table.of("min-cut", caption, limits)]
        caption = (
            "Accuracy at the end, leakage after training and at initialisation, latency relative to the first cut "
            "layer's."
        )
        tables.append(Table.of("learning", caption, learning))
        pictures = latency_pictures(latencies, DRAWS[size])
        pictures += [learning_picture(learning, BUDGETS[size].seeds)] if learning else []
        return Section(
            setting=_telling(size),
            findings=[*latency_findings(latencies), *min_cut_findings(choices), *learning_findings(learned)],
            pictures=pictures,
            tables=[table for table in tables if table.rows],
            limits=[
                "Distance correlation is one measure of what smashed data give away. It is an average over all samples "
                "and says nothing of what the best attack could reconstruct of one of them.",
                "It compares Euclidean distances of whole images and whole feature maps: a map that keeps the data but "
                "twists distances looks private by it.",
                "Latencies of the paper's network, leakage and accuracy of small ones: the trade-off is shown on "
                "the small ones, since ResNet-18 is not trained here.",
                "No noise or other protection is added to the smashed data; the cut layer is the only knob.",
            ],
        )


def _latency_points(size: StudySize) -> Iterator[Point]:
    conditions = product(CHANNELS, BANDWIDTHS_HZ[size], SERVERS_CYCLES_PER_S[size])
    for (channel, bandwidth, server), seed in product(conditions, range(DRAWS[size])):
        yield {"part": "latency", "channel": channel, BANDWIDTH: bandwidth, SERVER: server, "seed": seed}


def _min_cut_points(size: StudySize) -> Iterator[Point]:
    for channel, seed in product(CHANNELS, range(DRAWS[size])):
        yield {"part": "min-cut", "channel": channel, "seed": seed}


def _learning_points(size: StudySize) -> Iterator[Point]:
    for name, cuts in CUTS[size].items():
        for cut, method in product(cuts, METHODS):
            which = {"part": "learning", "setting": name, "cut_layer": cut, "method": method}
            yield {**which, **BUDGETS[size].to_point()}


def _latencies(point: Point) -> Iterator[Row]:
    """Yield the certified latency of every cut layer."""
    instance = load_instance(paper(**_scenario(point), **{knob: point[knob] for knob in (BANDWIDTH, SERVER)}))
    for index, cut in enumerate(instance.model.cut_layers):
        found = solve(instance.with_cut_layers([cut.name]), "exact", LIMITS)
        yield {"cut": index, "cut_layer": cut.name, "latency_s": found.latency_s, "bound_s": found.bound_s}


def _scenario(point: Point) -> dict[str, object]:
    return {"seed": point["seed"], "line_of_sight": point["channel"]}


def _choices(instance: Instance) -> Iterator[Row]:
    """Yield what is chosen when the first cut layers are not allowed (`epsl-opt solve --min-cut`)."""
    for index, cut in enumerate(instance.model.cut_layers):
        found = solve(instance.with_training(min_cut_layer=cut.name), "exact", LIMITS)
        chosen = None if found.schedule is None else found.schedule.cut_layer
        name = None if chosen is None else instance.model.cut_layers[chosen].name
        yield {"min_cut": index, "min_cut_layer": cut.name, "cut": chosen, "chosen": name, "latency_s": found.latency_s}


def _learned(point: Point) -> Iterator[Row]:
    from epsl_opt.studies.cut_layer.leakage import leakage
    from epsl_opt.studies.shared.trainings import open_session, tuned

    task, network, target, _ = NETWORKS[str(point["setting"])]
    setting = Setting(str(point["setting"]), task, network, target, str(point["cut_layer"]))
    method, budget = METHODS[str(point["method"])], Budget.of_point(point)
    for found in tuned(setting, method, budget):
        initial = open_session(setting, method, found.lr, budget, found.seed)
        yield {**found.row(target), "leakage": leakage(found.session), "initial_leakage": leakage(initial)}


def _telling(size: StudySize) -> list[str]:
    return [
        "Latency: the paper's scenario (5 clients, 20 subchannels, ResNet-18 on 64 x 64 images, phi = 0.5), a "
        f"schedule certified within 0.5 % for each cut layer (20 s allowed), {DRAWS[size]} draws for each of "
        f"{len(BANDWIDTHS_HZ[size])} bandwidths of a subchannel and {len(SERVERS_CYCLES_PER_S[size])} servers, on the "
        "paper's channel, where distance decides who sees the server, and with a line of sight for everybody.",
        "A first allowed cut layer is the field training.min_cut_layer of an instance, or --min-cut of epsl-opt solve.",
        "Leakage and accuracy: really trained small networks (cnn: two convolutions, two linear layers; mlp: four "
        f"hidden layers), 5 clients, IID, everybody cut at the same layer. {BUDGETS[size].text()}",
        "Leakage is the bias-corrected squared distance correlation (Székely, Rizzo, Bakirov 2007; Székely, Rizzo "
        "2014) of the test samples and what the clients' models make of them, the mean over the clients: 0 is "
        "expected of independence, 1 means that distances are kept. It is taken at initialisation and after "
        "training.",
    ]
