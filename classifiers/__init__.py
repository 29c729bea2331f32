"""Spam and abuse scores for reader comments, Arabic first.

A library: estimators over text, their training and evaluation, their artefacts, and the scorer that serves. It knows
nothing of HTTP, Redis or SQL. The serving modules (`runtime`, `explain`, `artifacts`, `scoring_files`) need NumPy only;
`features`, `pipeline`, `train` and `evaluate` need scikit-learn as well.
"""
