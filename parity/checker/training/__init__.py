"""The user's own loss and optimizer: what they are, whether they agree, and why not.

In: their settings on each side, and what training steps recorded. Out: findings and causes. Read
`user_training`; `losses`, `custom_losses` (told from their gradients) and `loss_lines` (what to
write); `optimizers` and `custom_optimizers` (told from their steps).
"""
