"""Prove that the manifest sends each app exactly the requests that it serves.

`compare_requests` has the rules. `app_proof` applies them to every kind of paths, with the answers that follow from the
app's route table, and to the app's own answers. `driver` gets these in the process that has loaded the app. No endpoint
runs: a stub replaces each one, so that a DELETE deletes nothing and no network is needed. Middleware and routers are
the app's own. A request costs about 0.1 ms.
"""
