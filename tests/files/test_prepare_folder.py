"""A folder is made and tried while others do the same, or remove it."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import pytest

from epsl_opt import InputError
from epsl_opt.files.json_files import prepare_folder


def test_a_folder_that_others_remove_is_made_again(tmp_path: Path) -> None:
    """While two others make, try and remove the folder all the time, nothing is raised, and nothing is left in it."""
    folder, over, raised = tmp_path / "deep" / "folder", threading.Event(), list[BaseException]()

    def disturb(remove: bool) -> None:
        while not over.is_set():
            try:
                prepare_folder(folder)
            except BaseException as error:
                raised.append(error)
            if remove:
                with contextlib.suppress(OSError):
                    folder.rmdir()

    others = [threading.Thread(target=disturb, args=(remove,)) for remove in (True, False)]
    for other in others:
        other.start()
    try:
        for _ in range(300):
            prepare_folder(folder)
            with contextlib.suppress(OSError):
                folder.rmdir()
    finally:
        over.set()
        for other in others:
            other.join()
    prepare_folder(folder)
    assert raised == []
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("place", ["file", "file/below", "link"])
def test_what_can_not_be_a_folder_is_one_line(place: str, tmp_path: Path) -> None:
    """A file, or a link to nowhere, in the folder's place or above it is one clear error."""
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere" / "at all")
    with pytest.raises(InputError, match=place):
        prepare_folder(tmp_path / place)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_one_line(tmp_path: Path) -> None:
    """A folder that can't be written to is refused before anything is done."""
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied"):
        prepare_folder(tmp_path)
