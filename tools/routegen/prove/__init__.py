"""Prove that the manifest sends each app exactly the requests that it serves.

`compare_requests` has the rules. `all_paths` applies them to every kind of paths, with the answers that follow from the
app's route table. `driver` sends requests to the app in the process that has loaded it, and `app_proof` applies the
rules to its answers. No endpoint runs: a stub replaces each one, so that a DELETE deletes nothing and no network is
needed. Middleware and routers are the app's own. A request costs about 0.1 ms.
"""
