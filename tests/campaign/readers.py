"""Which commands read which kind of file."""

from __future__ import annotations

from dataclasses import dataclass

from campaign.made_files import TRAIN, TRAIN_TOY

QUICK = ("--time-limit", "1")


@dataclass(frozen=True)
class Reader:
    """A kind of file, and command lines that read it.

    Parameters
    ----------
    target
        Glob of the files of which one is made wrong.
    needs
        Files and folders of the workshop that the commands need, `target` among them.
    commands
        Of which one is run.
    weight
        How often, relative to others.
    """

    target: str
    needs: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    weight: float = 1.0


_SOLVE = tuple(
    ("solve", "instance.json", "-s", solver, *QUICK, "-o", "out.json", "-f", form)
    for solver, form in (("greedy", "table"), ("bcd", "json"), ("local-search", "csv"), ("exact", "table"))
)

FILE_READERS = (
    Reader(
        "instance.json",
        ("instance.json", "schedule.json"),
        (
            ("show", "instance.json"),
            ("show", "instance.json"),
            ("show", "instance.json", "-f", "json"),
            ("show", "instance.json", "-f", "csv"),
            ("check", "instance.json", "schedule.json"),
            ("generate", "instance.json", "-o", "out.json"),
            ("export", "instance.json", "--to", "lp", "--cut", "1", "-o", "out.lp"),
            ("export", "instance.json", "--to", "nl", "--cut", "0", "-o", "out.nl"),
            ("export", "schedule.json", "--to", "clients-csv", "--instance", "instance.json", "-o", "out.csv"),
            *_SOLVE,
            ("solve", "-", "-s", "greedy", *QUICK),
            ("solve", "--watch", ".", "--until-empty", "-s", "greedy", "--deadline", "1", "-o", "live"),
        ),
        weight=4,
    ),
    Reader(
        "instance.json",
        ("instance.json", "other.json", "schedule.json"),
        (
            ("compare", "instance.json", "other.json", "--solvers", "greedy,bcd", *QUICK, "-f", "json"),
            ("compare", "instance.json", "--solvers", "greedy,convex", *QUICK),
            ("train", "instance.json", "--backend", "toy", "-t", "plane", "-s", "greedy", "-n", "2", "-o", "run"),
            ("train", "instance.json", "-s", "greedy", *QUICK, "-n", "1", "-b", "4"),
            ("plot", "schedule.json", "--kind", "allocation", "--instance", "instance.json", "-o", "out.svg"),
            ("solve", "instance.json", "-s", "pyomo", *QUICK),
        ),
    ),
    Reader(
        "schedule.json",
        ("instance.json", "schedule.json"),
        (
            ("show", "schedule.json"),
            ("show", "schedule.json", "-f", "json"),
            ("show", "schedule.json", "-f", "csv"),
            ("check", "instance.json", "schedule.json"),
            ("check", "instance.json", "schedule.json", "-f", "json"),
            ("check", "instance.json", "-"),
            ("export", "schedule.json", "-o", "out.csv"),
            ("export", "schedule.json", "--to", "clients-csv", "--instance", "instance.json"),
            ("export", "schedule.json", "--to", "clients-parquet", "-o", "out.parquet"),
            ("export", "schedule.json", "--to", "parquet", "-o", "out.parquet"),
        ),
        weight=4,
    ),
    Reader(
        "schedule.json",
        ("instance.json", "schedule.json"),
        (
            ("plot", "schedule.json", "--kind", "gantt", "-o", "out.png"),
            ("plot", "schedule.json", "--kind", "allocation", "-o", "out.svg"),
            ("plot", "schedule.json", "--kind", "gap", "-o", "out.pdf"),
            ("train", "instance.json", "--backend", "toy", "-t", "plane", "--schedule", "schedule.json", "-n", "2"),
        ),
        weight=0.5,
    ),
    Reader(
        "profile.json",
        ("profile.json",),
        (
            ("generate", "paper:clients=2,subchannels=3,model=profile.json", "-o", "out.json"),
            ("show", "paper:clients=2,subchannels=3,model=profile.json"),
        ),
    ),
    Reader(
        "clients.json",
        ("clients.json",),
        (
            ("generate", "paper:clients=3,subchannels=4,clients-json=clients.json", "-o", "out.json"),
            ("show", "paper:clients=3,subchannels=4,clients-json=clients.json"),
        ),
    ),
    Reader(
        "gains.csv",
        ("gains.csv",),
        (
            ("show", "paper:clients=3,subchannels=6,uplink-csv=gains.csv,csv-quantity=gain_db"),
            ("generate", "paper:clients=3,subchannels=6,uplink-csv=gains.csv,csv-quantity=snr_db", "-o", "out.json"),
            ("generate", "paper:clients=3,subchannels=6,uplink-csv=gains.csv,csv-quantity=gain", "-o", "out.json"),
        ),
    ),
    Reader(
        "config.toml",
        ("config.toml", "instance.json"),
        (
            ("--config", "config.toml", "show", "instance.json"),
            ("--config", "config.toml", "solve", "instance.json", *QUICK),
            ("--config", "config.toml", "info"),
            ("--config", "config.toml", "solve", "instance.json", "-s", "bcd"),
        ),
        weight=2,
    ),
)
"""Of single files."""

FOLDER_READERS = (
    Reader(
        "comparison/runs/*.json",
        ("instance.json", "comparison"),
        (("compare", "instance.json", "--solvers", "greedy,bcd", "-o", "comparison", "-f", "json"),),
        weight=0.3,
    ),
    Reader(
        "studies/squares/points/*",
        ("studies",),
        (("study", "squares", "--quick", "--jobs", "1", "-o", "studies"),),
        weight=0.1,
    ),
    Reader("studies/squares/*.*", ("studies",), (("report", "studies"), ("report", "studies", "-o", "page.html"))),
    Reader(
        "toy-training/*.[cj]s*",
        ("instance.json", "toy-training"),
        ((*TRAIN_TOY, "-n", "6", "-o", "toy-training", "--resume"),),
    ),
    Reader(
        "training/*",
        ("instance.json", "training"),
        ((*TRAIN, "-n", "4", "-o", "training", "--resume"),),
    ),
    Reader(
        "trained/trainings/*/*.[cj]s*",
        ("instance.json", "trained"),
        (
            (
                *("compare", "instance.json", "--train", "--backend", "toy", "-t", "plane", "--solvers", "greedy"),
                *("--frameworks", "epsl,psl", "-n", "3", "-o", "trained"),
            ),
        ),
        weight=0.2,
    ),
)
"""Of folders that a command goes on with."""
