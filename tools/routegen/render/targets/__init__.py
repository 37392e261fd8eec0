"""The render targets: one module for each, whose `TARGET` describes it; its templates are in `../templates`."""
