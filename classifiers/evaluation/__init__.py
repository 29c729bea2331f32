"""How good a model is on anybody's labelled texts, and what another one would judge differently: figures, intervals, a page."""
