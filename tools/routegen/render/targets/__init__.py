"""One package for each target: `TARGET`, and its templates beside it."""
