"""Iris from scikit-learn, split into training and test rows."""

import numpy as np
from numpy.typing import NDArray

TEST_SHARE = 0.25
SEED = 0

Split = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]


def read_iris() -> Split:
    """Return training inputs and labels, test inputs and labels: 112 and 38 rows.

    The classes are represented alike in both (stratified), the rows shuffled, the same way every
    time. Inputs, (n, 4), are in centimetres and exact in float32: both precisions get one input.
    """
    # Imported here: it takes a second, and only this dataset needs it.
    from sklearn.datasets import load_iris  # noqa: PLC0415
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    inputs, labels = load_iris(return_X_y=True)
    exact = inputs.astype(np.float32).astype(np.float64)
    train, test, train_labels, test_labels = train_test_split(
        exact, labels, test_size=TEST_SHARE, stratify=labels, random_state=SEED
    )
    return train, train_labels.astype(np.int64), test, test_labels.astype(np.int64)
