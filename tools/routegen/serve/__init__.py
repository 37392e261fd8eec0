"""The gateway on this machine: API Gateway's HTTP API in front of the real handlers, in AWS's own runtime.

In: a manifest, and the configuration that says which handler each app has. Out: HTTP on one port.

    request -> server (the gateway's model chooses) -> event -> pool -> instance -> response -> HTTP

Every instance is a process of `python -m awslambdaric`, which asks the Lambda Runtime API of this room for its
invocations. `event` and `response` are pure; what AWS leaves unclear about them is in `decisions`.
Needs uvicorn and awslambdaric: `pip install routegen[serve]`.
"""
