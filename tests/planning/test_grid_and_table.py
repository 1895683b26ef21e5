"""Which points a grid has, and rounds to target that a user brings."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from cli_toys import small_instance
from hypothesis import given
from hypothesis import strategies as st
from training_toys import ToyBackend

from epsl_opt import InputError
from epsl_opt import plan as make_plan
from epsl_opt.core.framework import Framework
from epsl_opt.files.plan_document import Fate
from epsl_opt.planning.grid import Grid
from epsl_opt.planning.rounds_table import read_rounds_table
from epsl_opt.planning.wishes import Wishes, distinct_cuts

HEADER = "framework,aggregation_ratio,cut_layer,batch_size,average_every,rounds,rounds_low,rounds_high\n"
KNOWN = [framework for framework in Framework if framework is not Framework.CENTRALISED]


@given(
    st.lists(st.sampled_from(KNOWN), min_size=1, unique=True),
    st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, unique=True),
    st.lists(st.sampled_from([None, 1, 5]), min_size=1, unique=True),
)
def test_a_grid_has_every_combination_that_makes_sense_once(
    frameworks: list[Framework], ratios: list[float], averaging: list[int | None]
) -> None:
    """Against a plain product: ratios are EPSL's, I is for EPSL and PSL, FL has no cut, EPSL(0) is PSL."""
    grid = Grid(
        frameworks=frameworks,
        aggregation_ratios=ratios,
        cut_layers=("a", "b"),
        batch_sizes=(2, 4),
        average_every=averaging,
        learning_rates=(0.1, 0.2),
    )
    expected = set()
    for f, ratio, cut, b, i, rate in itertools.product(frameworks, ratios, "ab", (2, 4), averaging, (0.1, 0.2)):
        own = Framework.PSL if f is Framework.EPSL and ratio == 0 else f
        phi = ratio if own is Framework.EPSL else 0.0
        every = i if own in (Framework.EPSL, Framework.PSL) else None
        expected.add((own, phi, "a" if own is Framework.FL else cut, b, every, rate))
    points = grid.points()
    found = [
        (p.framework, p.aggregation_ratio, p.cut_layer, p.batch_size, p.average_every, p.learning_rate) for p in points
    ]
    assert set(found) == expected
    assert len(found) == len(expected)


def test_where_nothing_is_asked_rates_are_around_the_backends_own() -> None:
    """Each framework gets equally many rates, lower ones where the server steps once per client."""
    grid = Wishes().grid(small_instance(), ToyBackend())
    assert grid.sequential_rates is not None
    assert len(grid.learning_rates) == len(grid.sequential_rates)
    assert 0.5 in grid.learning_rates
    assert all(
        a is not None and b is not None and b < a
        for a, b in zip(grid.learning_rates, grid.sequential_rates, strict=True)
    )


@pytest.mark.parametrize(
    ("wishes", "named"),
    [
        (Wishes(aggregation_ratios=[1.5]), "--phi"),
        (Wishes(frameworks=[Framework.CENTRALISED]), "--frameworks"),
        (Wishes(learning_rates=[0.0]), "--learning-rate"),
        (Wishes(cut_layers=["nowhere"]), "nowhere"),
    ],
)
def test_what_makes_no_grid_is_refused(wishes: Wishes, named: str) -> None:
    """The option is named."""
    with pytest.raises(InputError, match=named):
        wishes.grid(small_instance(), ToyBackend())


def test_cuts_with_one_client_model_are_one() -> None:
    """Of cut layers between which there are no weights, the one that sends least is left."""
    instance = small_instance()
    sized = [
        cut.model_copy(update={"client_parameter_bits": float(8 * (k + 1))})
        for k, cut in enumerate(instance.model.cut_layers)
    ]
    twin = sized[0].model_copy(update={"name": "twin", "activation_bits": sized[0].activation_bits / 2})
    update = {"cut_layers": (sized[0], twin, *sized[1:]), "total_parameter_bits": 1e3}
    doubled = instance.replace(model=instance.model.model_copy(update=update))
    names = [cut.name for cut in doubled.model.cut_layers]
    assert distinct_cuts(doubled, names) == ("twin", *(cut.name for cut in instance.model.cut_layers[1:]))


def test_csv_and_json_are_read_alike(tmp_path: Path) -> None:
    """Both say the same of each way to train; without ends, the assumed spread makes them."""
    cut = small_instance().model.cut_layers[0].name
    table, rows = tmp_path / "n.csv", tmp_path / "n.json"
    table.write_text(f"{HEADER}epsl,0.5,{cut},8,5,40,30,50\npsl,,{cut},8,,60,,\n")
    rows.write_text(
        json.dumps(
            [
                {"framework": "epsl", "aggregation_ratio": 0.5, "cut_layer": cut, "batch_size": 8}
                | {"average_every": 5, "rounds": 40.0, "rounds_low": 30.0, "rounds_high": 50.0},
                {"framework": "psl", "cut_layer": cut, "batch_size": 8, "rounds": 60.0},
            ]
        )
    )
    found = read_rounds_table(table)
    assert found == read_rounds_table(rows)
    epsl, psl = found.values()
    assert (epsl.low, epsl.typical, epsl.high) == (30, 40, 50)
    assert psl.low < 60 < psl.high


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "has no row"),
        (HEADER, "has no row"),
        (HEADER + "epsl,2,a,8,5,40,,\n", r"line 2.*aggregation_ratio"),
        (HEADER + "epsl,0.5,a,8,5,0.5,,\n", r"line 2.*rounds"),
        (HEADER + "epsl,0.5,a,8,5,40,50,60\n", r"line 2.*rounds_low"),
        (HEADER + "sl,,a,8,5,40,,\n", r"line 2.*average_every"),
        (HEADER + "magic,,a,8,5,40,,\n", r"line 2.*framework"),
        (HEADER + "psl,,a,x,5,40,,\n", r"line 2.*batch_size"),
        (HEADER + "psl,,a,8\n", r"line 2.*cells"),
        (HEADER + "psl,,a,8,,40,,\npsl,,a,8,,41,,\n", "another row"),
        ("framework,speed\npsl,3\n", "speed"),
    ],
)
def test_a_wrong_table_is_one_line(text: str, named: str, tmp_path: Path) -> None:
    """File, row and field are named."""
    path = tmp_path / "n.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=named) as refusal:
        read_rounds_table(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_table_needs_no_pilots(tmp_path: Path) -> None:
    """Fewer rounds of the same round win, nothing is trained, and the ends are the table's times the bounds."""
    cut = small_instance().model.cut_layers[0].name
    path = tmp_path / "n.csv"
    path.write_text(f"{HEADER}psl,,{cut},8,,40,38,42\npsl,,{cut},8,5,400,380,420\nsl,,{cut},8,,4000,3800,4200\n")
    document = make_plan(small_instance(), rounds_table=path).document
    assert document.rounds_from == "table"
    assert document.pilot_rounds == 0
    assert document.winner == 0
    first = document.points[0]
    assert first.time_low_s == pytest.approx(38 * first.round_bound_s)
    assert first.time_high_s == pytest.approx(42 * first.round_latency_s)
    assert [point.fate for point in document.points[1:]] == [Fate.BY_PILOTS] * 2
