"""`parity bench`: how long each side takes, in each way of writing the same training.

Measured in processes of their own, one at a time; a file imported here knows no framework.
"""
