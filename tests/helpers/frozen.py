"""The last module that the server of helpers/forked.py imports."""

import gc

gc.collect()
gc.freeze()  # A collection in a forked process would write to, and so copy, the memory of every imported module.
