"""Table 1: who the patients are, from the clinical columns of the manifest."""

import warnings

import pandas as pd
from tableone import TableOne  # type: ignore[import-untyped]

#: Columns of a manifest that say nothing of a patient's condition.
_TECHNICAL = ("image", "patient_id", "label", "external", "mask", "boxes")
#: Numbers with so many different values or fewer are shown as categories.
_FEW = 5
#: A column of text with more values than this is no characteristic (a free text, a date).
_MOST_CATEGORIES = 20


def clinical_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """patient_id (index) to clinical columns (and site, if there are several), one row a patient.

    Args:
        rows: The manifest's rows; a patient's first non-missing value counts.
    """
    chosen = [name for name in rows if name not in _TECHNICAL]
    patients = rows.replace("", pd.NA)[["patient_id", *chosen]].groupby("patient_id", sort=False).first()
    informative = [name for name in chosen if len(patients[name].dropna().unique()) > 1]
    return patients[informative]


def tabulate_characteristics(rows: pd.DataFrame) -> pd.DataFrame:
    """Table 1: a column for each class, external patients apart, and all patients.

    Numbers are given as median [first and third quartile], categories as n (%) with missing ones as their
    own, by the `tableone` library (Pollard et al., JAMIA Open 2018). There are no p values: the classes are
    not a trial's arms.

    Args:
        rows: The manifest's rows.

    Returns:
        Columns characteristic, value, then one a group.
    """
    first = rows.drop_duplicates("patient_id").set_index("patient_id")
    group = first["label"] + first["external"].map({True: " (external)", False: ""})
    patients = clinical_columns(rows)
    patients.insert(0, "images a patient", rows.groupby("patient_id").size())
    patients = patients.loc[:, [_is_characteristic(patients[name]) for name in patients]]
    numeric = [str(name) for name in patients if _is_number(patients[name])]
    categorical = [str(name) for name in patients if name not in numeric]
    patients[categorical] = patients[categorical].astype(object)
    patients["group"] = group.loc[patients.index]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = TableOne(
            patients,
            columns=[*numeric, *categorical],
            categorical=categorical,
            nonnormal=numeric,
            groupby="group",
            order={
                "group": sorted(patients["group"].unique(), key=lambda name: ("(external)" in name, name))
            },
            missing=True,
            include_null=True,
        ).tableone
    return _flatten(table)


def _is_number(values: "pd.Series[float]") -> bool:
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return bool(numeric) and (values.nunique() > _FEW or values.name == "images a patient")


def _is_characteristic(values: "pd.Series[float]") -> bool:
    return _is_number(values) or values.nunique() <= _MOST_CATEGORIES


def _flatten(table: pd.DataFrame) -> pd.DataFrame:
    """Plain columns instead of tableone's nested ones; a characteristic is named in its first row only."""
    table = table.copy()
    table.columns = [column[-1] for column in table.columns]
    flat = table.reset_index(names=["characteristic", "value"])
    flat["value"] = flat["value"].replace("None", "not recorded")
    repeated = flat["characteristic"].duplicated()
    flat.loc[repeated, "characteristic"] = ""
    return flat.rename(columns={"Missing": "missing", "Overall": "all"}).fillna("").astype(str)
