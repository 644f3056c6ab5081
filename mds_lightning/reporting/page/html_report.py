"""The report as one self-contained HTML file without external resources."""

import base64
import hashlib
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.cohort.visible_text import show_lines
from mds_lightning.maps.overlay import list_colours
from mds_lightning.reporting.page.checklist import fill_checklists
from mds_lightning.reporting.page.contents import Page, gather_page
from mds_lightning.reporting.page.plot_axes import PlotAxes
from mds_lightning.reporting.tables.external_table import (
    describe_external,
    describe_offsets,
    tabulate_recalibration,
)
from mds_lightning.reporting.tables.metric_names import name_metric
from mds_lightning.reporting.tables.numbers import Estimate, find_estimate, list_groups
from mds_lightning.statistics.estimates import Settings
from mds_lightning.studies.selection import NESTED
from mds_lightning.studies.study import Study

_TEMPLATES = Path(__file__).parent / "templates"


def write_report(study: Study, settings: Settings, path: Path, now: datetime | None = None) -> Page:
    """Write the report of a finished study.

    Each fold is reported with the variant that its validation images selected. The page makes no network
    requests: its content security policy forbids them and allows no script except its own.

    Args:
        study: A finished study.
        settings: Settings of the estimates.
        path: File to write.
        now: Date shown on the page; None for today.

    Returns:
        Contents of the page.

    Raises:
        ValueError: A fold is unfinished or does not match the split.
    """
    page = gather_page(study, settings)
    text = render_report(page, now or datetime.now(UTC))
    with write_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return page


def render_report(page: Page, now: datetime) -> str:
    """The page as HTML. All text from the study's files is escaped."""
    script = (_TEMPLATES / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        finalize=_show,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "PlotAxes": PlotAxes,
        "Estimate": Estimate,
        "find_estimate": find_estimate,
        "list_groups": list_groups,
        "name_metric": name_metric,
        "nested": NESTED,
        "describe_external": describe_external,
        "describe_offsets": describe_offsets,
        "tabulate_recalibration": tabulate_recalibration,
    }
    return environment.get_template("report.html.j2").render(
        page=page,
        places=page.places,
        checklists=fill_checklists(page.places),
        # Files of the package, not of the user: inserted without escaping.
        style=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_digest=digest,
        roc_data=htmlsafe_json_dumps(_list_curves(page)),
        colours=list_colours(),
        version=version("mds-lightning"),
        date=f"{now:%Y-%m-%d}",
    )


def _show(value: Any) -> Any:
    """Control characters of the study's text as escapes; what the templates themselves write is unchanged."""
    return show_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _list_curves(page: Page) -> list[dict[str, Any]]:
    """The ROC curves for the script of the page: points with thresholds and counts."""
    return [
        {
            "rows": family.rows,
            "curves": [
                {
                    "name": show_lines(one.name),
                    "positives": one.positives,
                    "negatives": one.negatives,
                    "points": one.points(),
                }
                for one in (*family.folds, family.pooled)
            ],
        }
        for family in page.families
    ]
