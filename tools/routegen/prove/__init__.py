"""Prove that the manifest sends each app exactly the requests that it serves.

`generated_requests` makes requests from an app's route table, `driver` sends them to the app in the process that has
loaded it, and `compare_requests` compares the route that was reached with the app that the gateway selects. No
endpoint runs: a stub replaces each one, so that a DELETE deletes nothing and no network is needed. Middleware and
routers are the app's own. A request costs about 0.1 ms.
"""
