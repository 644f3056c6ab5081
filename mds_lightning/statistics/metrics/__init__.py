"""One file for each metric: its `METRIC` is all that `metrics.csv`, the tables and the report need."""
