"""`parity sweep`: many seeds of both sides as independent jobs, here or on a cluster.

Every finished job is durable at once; a sweep that was killed goes on where it was.
"""
