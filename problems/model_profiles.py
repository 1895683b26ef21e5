"""The model profiles shipped as data files, one a network (see `architectures` for how they were counted)."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import ModelProfile
from epsl_opt.core.json_text import read_json
from epsl_opt.core.options import unknown

FOLDER = Path(__file__).parent / "profiles"


def names() -> list[str]:
    """Return the names of the shipped profiles, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(source: str) -> ModelProfile:
    """Return a shipped profile by name, or read one of your own from a `.json` file.

    Raises
    ------
    InputError
        If there is no such profile (near matches are listed), or the file is wrong.
    """
    if source in names():
        return read(FOLDER / f"{source}.json")
    if source.endswith(".json"):
        return read(Path(source))
    raise InputError("model profile", f"{unknown(source, names())}; nor is it a .json file")


def read(path: Path) -> ModelProfile:
    """Read a profile: the `model` part of an instance file, as a file of its own.

    Raises
    ------
    InputError
        Naming the file and the field, if anything is wrong.
    """
    data = read_json(path)
    try:
        return ModelProfile.model_validate(data)
    except ValidationError as error:
        raise InputError.from_validation(str(path), error) from error
