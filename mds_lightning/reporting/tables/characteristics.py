"""Table 1: characteristics of the patients, from the clinical columns of the manifest."""

import warnings

import pandas as pd
from tableone import TableOne  # type: ignore[import-untyped]

#: Columns of a manifest that are not clinical.
_TECHNICAL = ("image", "patient_id", "label", "external", "mask", "boxes")
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
    group = first["label"] + first["external"].map({True: " (external)", False: ""})
    patients = clinical_columns(rows)
    patients.insert(0, "images per patient", rows.groupby("patient_id").size())
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
    return bool(numeric) and (values.nunique() > _FEW or values.name == "images per patient")


def _is_characteristic(values: "pd.Series[float]") -> bool:
    return _is_number(values) or values.nunique() <= _MOST_CATEGORIES


def _flatten(table: pd.DataFrame) -> pd.DataFrame:
    """Flatten the nested columns of tableone; a characteristic is named only in its first row."""
    table = table.copy()
    table.columns = [column[-1] for column in table.columns]
    flat = table.reset_index(names=["characteristic", "value"])
    flat["value"] = flat["value"].replace("None", "not recorded")
    repeated = flat["characteristic"].duplicated()
    flat.loc[repeated, "characteristic"] = ""
    return flat.rename(columns={"Missing": "missing", "Overall": "all"}).fillna("").astype(str)
