"""A Pulumi component that gives an HTTP API the routes of a manifest (extra `infra`)."""

from routegen.pulumi.component import ManifestRoutes

__all__ = ["ManifestRoutes"]
