"""Links of folders: nothing is written through a link that leads out of a study."""

import os
from pathlib import Path

from mds_lightning.cohort.explained_error import ExplainedError


class OutsideFolderError(ExplainedError):
    """A folder of a study is a link to another place."""


def refuse_links_outside(
    owner: Path, folder: Path, remedy: str = "remove the link, or name a folder with output=DIR"
) -> None:
    """Raise if a folder in which files will be written, or a folder in it, leads out of its owner.

    A study may come from somebody else: without this, a link in it chooses which files of the user are
    replaced. The owner itself may be a link, which the user names.

    Args:
        owner: A study or a run.
        folder: A folder in it, which need not exist.
        remedy: What the user can do.

    Raises:
        OutsideFolderError: It does.
    """
    root = owner.resolve()
    folders = [folder, *(Path(above, name) for above, names, _ in os.walk(folder) for name in names)]
    for one in folders:
        place = one.resolve()
        if not place.is_relative_to(root):
            raise OutsideFolderError(
                f"{one} leads to {place}, outside {owner}, and nothing is written through such a link", remedy
            )
