"""The border of a framework's process: jobs in, events out, one JSON a line.

In: a command line and jobs. Out: events, or one `WorkerError` whatever happens. Nothing is left
behind. Read `channel` (the far end), `child` (the near end: the one place that starts a process of
a framework), `options` (how it is started), `environment` (its variables), `signals` (what ends
it).
"""
