"""Curves with their intervals: ROC, precision-recall, decision and reliability."""
