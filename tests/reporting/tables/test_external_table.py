"""External patients in the report: which metrics are shown, and the recalibration on their sites."""

from datetime import UTC, datetime

from markupsafe import Markup

from mds_lightning import load_study
from mds_lightning.reporting.page.contents import Page, gather_page
from mds_lightning.reporting.page.html_report import render_report
from mds_lightning.statistics.estimates import Settings

from ...made_study import StudyMaker


def read_section(page: Page) -> str:
    """The text of the section of external patients."""
    text = render_report(page, datetime(2026, 1, 1, tzinfo=UTC))
    return str(Markup(text.split('<section id="external"')[1].split("</section>")[0]).striptags())


def test_external_patients_of_one_class_have_no_metric_that_depends_on_class_frequencies(made_study):
    page = gather_page(load_study(made_study), Settings(n_resamples=100))
    section = read_section(page)
    assert "are not given, because all external patients are MDS" in section
    assert "cannot be separated from differences between laboratories" in section
    names = {(line.name, line.rule) for line in page.external}
    assert {name for name, _ in names} == {"ROC-AUC, MDS", "Recall, MDS"}
    assert len(names) == len(page.external) == 1 + 3
    for line in page.external:
        assert line.levels["patient"].number in section
        assert f"{line.lowest:.3f} to {line.highest:.3f}" in section


def test_recalibration_on_the_site_has_a_table_and_the_number_of_patients(tmp_path):
    class OfBothClasses(StudyMaker):
        def label(self, number):
            return self.classes[number % 2]

    study = load_study(OfBothClasses(tmp_path, external=16).write())
    page = gather_page(study, Settings(n_resamples=100, recalibrate="site"))
    section = read_section(page)
    assert "are not given, because" not in section, "both sites have as many patients of each class"
    assert "Precision, MDS" in section
    assert "Calibration intercept (0 is ideal), MDS" in section
    offsets = page.evidence.tables["site_offsets"].set_index("site")
    for site in ("site 0", "site 1"):
        needed = offsets.loc[site, "patients_needed"]
        assert f"± 0.5 from about {needed} labelled patients with these fractions of the classes" in section
    assert section.count("; the site has 8") == 2
