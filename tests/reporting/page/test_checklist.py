"""The checklists are complete, and refer only to anchors that a report can have."""

from mds_lightning.reporting.page.checklist import fill_checklists

EVERYTHING = {
    "answer", "cautions", "selection", "cohort", "folds", "performance", "roc", "confusion", "calibration",
    "training", "provenance", "checklists", "external", "external-patients", "patients",
    "subgroups", "sites", "maps", "thresholds", "decision", "variants",
}  # fmt: skip


def test_no_item_is_missing_or_duplicated():
    tripod, claim = fill_checklists(EVERYTHING)
    assert len({item.number for item in tripod.items}) == len(tripod.items) == 52
    assert {int(item.number.rstrip("abcdefg")) for item in tripod.items} == set(range(1, 28))
    assert [item.number for item in claim.items] == [str(number) for number in range(1, 45)]


def test_every_item_refers_to_an_anchor_that_a_report_can_have():
    for checklist in fill_checklists(EVERYTHING):
        assert not [item for item in checklist.items if item.remark.startswith("not available in this study")]


def test_an_item_is_open_if_its_section_is_missing():
    for with_maps, without in zip(
        fill_checklists(EVERYTHING), fill_checklists(EVERYTHING - {"maps"}), strict=True
    ):
        changed = [
            (before.number, after.status, after.place)
            for before, after in zip(with_maps.items, without.items, strict=True)
            if before != after
        ]
        assert changed == ([("31", "open", "")] if without.name.startswith("CLAIM") else [])
