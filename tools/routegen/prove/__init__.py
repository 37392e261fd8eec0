"""The manifest against the app itself: does the gateway send it exactly what it serves?

In: a manifest and the apps. Out: how many requests were tried, and each one on which the two disagree. `requests.py`
makes requests from an app's route table, `drive.py` puts them to the app, in the process that has imported it,
`judge.py` compares who answered with whom the gateway's model would have asked. No endpoint runs: a stub stands
behind each route, so that a DELETE deletes nothing and no network is needed; middleware and routers are the app's
own. Costs about a tenth of a millisecond a request.
"""
