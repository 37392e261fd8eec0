"""Compare a deployed HTTP API with the manifest: routes, integrations, functions, permissions, stage and domains.

`aws_reader` reads the API from AWS (boto3, the extra `aws`) with calls that change nothing: one call for each kind of
resource and page, and two calls for each function. The checks are pure functions over the data that it returns.
"""

from routegen.audit.audit_report import AuditOptions, audit_deployment

__all__ = ["AuditOptions", "audit_deployment"]
