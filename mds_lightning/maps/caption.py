"""Title and remark on the picture of a map."""

from mds_lightning.maps.importance_map import MapRecord

_ORIGINS: dict[str, str] = {
    "test": "which was not trained on this patient",
    "external": "which was not trained on this external patient",
    "foreign": "NOT IN THE COHORT: it is unknown whether the model was trained on this patient",
}


def write_title(one: MapRecord) -> str:
    """Image, probability and label; method; model."""
    explained = one.explained
    label = f"labelled {explained.label}" if explained.label else "not labelled"
    return "\n".join(
        (
            f"{one.image}   {one.classes[one.shown]}: {one.probabilities[one.shown]:.2f}   {label}",
            _describe_method(one),
            f"explained by the model of fold {one.fold}, {_ORIGINS[explained.origin]}",
        )
    )


def write_remark(one: MapRecord) -> str:
    """What scaling to 0..1 hides, and whether the map is exact."""
    low, high, name = float(one.low[one.shown]), float(one.high[one.shown]), one.classes[one.shown]
    largest, score = one.largest_drop(name), one.settings["score"]
    if largest is None:
        empty = "the map is empty: " if low == high else ""
        return f"{empty}0 to 1 stands for {low:.3g} to {high:.3g}"
    lines = [f"largest drop of the {score}: {largest:.3f}"]
    if one.is_faint(name):
        lines = [f"no single region is decisive: the largest drop of the {score} is {largest:.3f}"]
    if one.error:
        precision = one.settings["precision"]
        lines.append(f"not exact ({precision}): drops deviate by up to {one.error:.2g}")
    return "\n".join(lines)


def _describe_method(one: MapRecord) -> str:
    parts = [f"explains the {one.settings['score']}"]
    if one.windows:
        parts.append(f"windows of {' and '.join(map(str, one.windows))} pixels every {one.stride}")
    if "baseline" in one.settings:
        parts.append(f"baseline {one.settings['baseline']}")
    return f"{one.method.replace('_', ' ')}: {', '.join(parts)}"
