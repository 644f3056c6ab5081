"""A simulator of bone-marrow smears, so that everything runs without patients; its door is `cohort`."""
