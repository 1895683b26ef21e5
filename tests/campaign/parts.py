"""The parts of the campaign, in the order they are run."""

from __future__ import annotations

from importlib import import_module

from campaign.part import Part

MODULES = {
    "tiny": "campaign.tiny_part:TinyInstances",
    "files": "campaign.files_part:MutatedFiles",
    "folders": "campaign.files_part:MutatedFolders",
    "options": "campaign.options_part:CommandLines",
    "kills": "campaign.kills_part:Kills",
    "pictures": "campaign.pictures_part:Pictures",
    "networks": "campaign.networks_part:Networks",
    "laws": "campaign.laws_part:Laws",
}
"""Name -> where the part is; imported only in processes that run it."""


def load(name: str) -> Part:
    """Return a part by its name."""
    module, _, attribute = MODULES[name].partition(":")
    part: Part = getattr(import_module(module), attribute)()
    return part
