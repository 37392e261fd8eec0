"""What `pulumi up` runs: the stack of the probe."""

import probe_stack  # noqa: F401 - its import registers the resources
