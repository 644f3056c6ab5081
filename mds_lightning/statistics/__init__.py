"""Numbers from the rows of `predictions.parquet`, with numpy, scipy and pandas only.

Each file of `metrics/` holds one metric; `intervals/` holds confidence intervals, and `curves/` holds curves.
"""
