"""The user's own loss and optimizer: what they are, whether they agree, and why not.

In: their settings on each side, and what training steps recorded. Out: findings and causes. Read
`user_training`, `losses`, `optimizers`.
"""
