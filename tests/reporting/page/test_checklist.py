"""The checklists are whole, and lead only to places that a report can have."""

from mds_lightning.reporting.page.checklist import fill_checklists

EVERYTHING = {
    "answer", "cautions", "selection", "cohort", "folds", "performance", "roc", "confusion", "calibration",
    "training", "provenance", "checklists", "external", "ensemble", "external-patients", "patients",
    "subgroups", "sites", "maps", "thresholds", "decision", "variants",
}  # fmt: skip


def test_no_item_is_missing_or_doubled():
    tripod, claim = fill_checklists(EVERYTHING)
    assert len({item.number for item in tripod.items}) == len(tripod.items) == 52
    assert {int(item.number.rstrip("abcdefg")) for item in tripod.items} == set(range(1, 28))
    assert [item.number for item in claim.items] == [str(number) for number in range(1, 45)]


def test_no_item_leads_to_a_place_that_no_report_has():
    for checklist in fill_checklists(EVERYTHING):
        assert not [item for item in checklist.items if item.remark.startswith("this study cannot tell")]


def test_an_item_is_open_where_its_place_is_missing():
    for with_maps, without in zip(
        fill_checklists(EVERYTHING), fill_checklists(EVERYTHING - {"maps"}), strict=True
    ):
        changed = [
            (before.number, after.status, after.place)
            for before, after in zip(with_maps.items, without.items, strict=True)
            if before != after
        ]
        assert changed == ([("31", "open", "")] if without.name.startswith("CLAIM") else [])
