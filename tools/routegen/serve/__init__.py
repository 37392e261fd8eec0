"""A local API Gateway HTTP API in front of the real Lambda handlers, which run in AWS's own runtime client.

It needs a manifest, and the configuration that names each app's handler. It serves HTTP on one port:

    request -> gateway_app (selects the route) -> proxy_event -> instance_pool -> lambda_instance -> proxy_response

Each instance is a process of `python -m awslambdaric`, which asks this room's Lambda Runtime API for invocations.
`proxy_event` and `proxy_response` are pure functions. `aws_behaviour` has AWS's quotas and each point that AWS leaves
unclear. `http_server` is the HTTP of the gateway, of the Runtime API and of the inspector. The room
needs awslambdaric: `pip install routegen[serve]`.
"""
