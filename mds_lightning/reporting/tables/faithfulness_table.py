"""Areas under the deletion and insertion curves of a study's maps."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mds_lightning.explain.faithfulness_curves import area_under
from mds_lightning.maps.map_file import read_record

_COLUMNS = ["method", "image", "fold", "class", "deletion", "insertion", "random"]


def tabulate_faithfulness(files: Mapping[str, Sequence[Path]]) -> pd.DataFrame:
    """Table of the maps whose curves were measured (see `explain.faithfulness`).

    Args:
        files: Method to map files.

    Returns:
        A row for each map: method, image, fold, class, and the mean score along the curves: deletion (lower
        is better), insertion (higher is better) and random (patches in a random order, the reference).
    """
    rows = []
    for method, several in files.items():
        for file in several:
            one = read_record(file)
            if one.curves is not None:
                areas = (area_under(getattr(one.curves, name)) for name in _COLUMNS[4:])
                rows.append([method, one.image, one.fold, one.classes[one.shown], *areas])
    return pd.DataFrame(rows, columns=_COLUMNS)
