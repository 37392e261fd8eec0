"""A deployed HTTP API against the manifest: routes, integrations, functions, permissions, stage, domains.

In: a manifest and AWS's answers to read-only calls. Out: a `Report`. `read` asks AWS (boto3, the extra `aws`) and gives
data; `checks` are pure functions over that data. One call a kind of thing and page, and two for each function.
"""

from routegen.audit.run import Wanted, audit

__all__ = ["Wanted", "audit"]
