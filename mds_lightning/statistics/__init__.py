"""Numbers from the rows of `predictions.parquet`: numpy, scipy and pandas only, imported in a second."""
