"""Table 1: characteristics of the patients, from the clinical columns of the manifest."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from tableone import TableOne  # type: ignore[import-untyped]

#: Columns of a manifest that are not clinical.
_TECHNICAL = ("image", "patient_id", "label", "external", "mask", "boxes")
_MISSING = "not recorded"
#: Numeric columns with at most this many different values are shown as categories.
_FEW = 5
#: Text columns with more values than this (free text, dates) are omitted.
_MOST_CATEGORIES = 20


def clinical_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """Clinical columns (and site, if there are several sites), one row per patient.

    Args:
        rows: Rows of the manifest; the first non-missing value of each patient is used.

    Returns:
        Columns with more than one value, with patient_id as index.
    """
    chosen = [name for name in rows if name not in _TECHNICAL]
    patients = rows.replace("", pd.NA)[["patient_id", *chosen]].groupby("patient_id", sort=False).first()
    informative = [name for name in chosen if len(patients[name].dropna().unique()) > 1]
    return patients[informative]


def tabulate_characteristics(rows: pd.DataFrame) -> pd.DataFrame:
    """Table 1: a column for each class, separate columns for external patients, and one for all patients.

    Numeric columns are given as median [first and third quartile], categorical ones as n (%) with missing
    values as a category, by the `tableone` library (Pollard et al., JAMIA Open 2018). There are no p values,
    because classes are not the randomised arms of a trial.

    Args:
        rows: Rows of the manifest.

    Returns:
        Columns characteristic and value, then one per group.
    """
    first = rows.drop_duplicates("patient_id").set_index("patient_id")
    group_of = first["label"] + first["external"].map({True: " (external)", False: ""})
    groups = sorted(group_of.unique(), key=lambda name: ("(external)" in name, name))
    clinical = clinical_columns(rows)
    images = rows.groupby("patient_id").size().reindex(clinical.index)
    columns = [_Characteristic.of("images per patient", images, is_number=True)]
    columns += [_Characteristic.of(str(name), clinical[name]) for name in clinical]
    columns = [column for column in columns if column.is_number or len(column.categories) <= _MOST_CATEGORIES]
    # Names and values of the user could be those that tableone uses itself: it is given codes.
    coded = pd.DataFrame({_code("c", place): column.coded for place, column in enumerate(columns)})
    coded["group"] = group_of.reindex(clinical.index).map(
        {name: _code("g", k) for k, name in enumerate(groups)}
    )
    numeric = [_code("c", place) for place, column in enumerate(columns) if column.is_number]
    categorical = [name for name in coded if name not in (*numeric, "group")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = TableOne(
            coded,
            columns=[*numeric, *categorical],
            categorical=categorical,
            nonnormal=numeric,
            groupby="group",
            order={"group": [_code("g", k) for k in range(len(groups))]},
            missing=True,
            include_null=True,
        ).tableone
    return _flatten(table, columns, groups)


@dataclass(frozen=True)
class _Characteristic:
    """One row of the table, or one for each category.

    Attributes:
        name: As the user named it.
        coded: Numbers, or codes of the categories; missing where unknown.
        is_number: Whether it is shown as a median.
        categories: The categories in the order of their codes, as text.
    """

    name: str
    coded: pd.Series
    is_number: bool
    categories: tuple[str, ...] = ()

    @staticmethod
    def of(name: str, values: pd.Series, is_number: bool = False) -> "_Characteristic":
        numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        if is_number or (numeric and values.nunique() > _FEW):
            return _Characteristic(name, values.astype(float), True)
        known = values.dropna()
        ordered = sorted(known.unique()) if numeric else sorted(known.unique(), key=str)
        codes = {value: _code("v", place) for place, value in enumerate(ordered)}
        coded = pd.Series([codes.get(value) for value in values], values.index, dtype=object)
        texts = (f"{value:g}" if isinstance(value, float) else str(value) for value in ordered)
        return _Characteristic(name, coded, False, tuple(texts))


def _code(letter: str, place: int) -> str:
    return f"{letter}{place:04}"


def _flatten(table: pd.DataFrame, columns: Sequence[_Characteristic], groups: Sequence[str]) -> pd.DataFrame:
    """Replace codes by names, and flatten; a characteristic is named only in its first row."""
    rows, previous = [], None
    for code, level in table.index:
        key, _, unit = str(code).partition(", ")
        column = columns[int(key[1:])] if unit else None
        name = str(code) if column is None else f"{column.name}, {unit}"
        value = (
            ""
            if level == ""
            else _MISSING
            if column is None or level == "None"
            else column.categories[int(level[1:])]
        )
        rows.append(("" if code == previous else name, value))
        previous = code
    flat = pd.DataFrame(rows, columns=["characteristic", "value"])
    names = {"Missing": "missing", "Overall": "all"}
    names |= {_code("g", place): group for place, group in enumerate(groups)}
    for nested in table.columns:
        name = names[nested[-1]]
        # A label may have the name of another column.
        flat[f"{name} (label)" if name in flat.columns else name] = (
            table[nested].fillna("").astype(str).to_numpy()
        )
    return flat
