"""Confidence intervals: the bootstrap over patients, DeLong, Newcombe, Wilson, and the spread over folds."""
