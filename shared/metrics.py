"""What the lessons count with: accuracy and agreement of predictions, in NumPy for both sides."""

from parity.core.classification import accuracy, agreement, classes, probabilities

__all__ = ["accuracy", "agreement", "classes", "probabilities"]
