"""The examples in idiomatic Keras 3 on TensorFlow: ``python -m keras_impl fashion_mlp``."""
