"""Bilinear resizing as two small matrices: TensorFlow's own kernel computes in float32 always."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def matrix(size, target, align_corners, half_pixel_centers):
    """(target, size) interpolation weights along one axis, TensorFlow's rules."""
    corners = align_corners and target > 1
    scale = (size - 1) / (target - 1) if corners else size / target
    places = np.arange(target, dtype=np.float64)
    places = (places + 0.5) * scale - 0.5 if half_pixel_centers else places * scale
    low = np.floor(places)
    weight = places - low
    first = np.clip(low, 0, size - 1).astype(int)
    second = np.clip(np.ceil(places), 0, size - 1).astype(int)
    weights = np.zeros((target, size))
    rows = np.arange(target)
    np.add.at(weights, (rows, first), 1.0 - weight)
    np.add.at(weights, (rows, second), weight)
    return weights


def bilinear(images, size, align_corners=False, half_pixel_centers=False):
    """(batch, height, width, channels) resized in the images' own precision."""
    height, width = (int(n) for n in np.array(size))
    _, h, w, _ = images.shape
    rows = matrix(int(h), height, align_corners, half_pixel_centers)
    columns = matrix(int(w), width, align_corners, half_pixel_centers)
    y = tf.einsum("oh,nhwc->nowc", tf.constant(rows, images.dtype), images)
    return tf.einsum("pw,nowc->nopc", tf.constant(columns, images.dtype), y)
