"""Faults planted on purpose: each must turn the verdict and be named at the right first place."""
