"""The examples in idiomatic Keras 3 on TensorFlow. Run one: ``python -m keras_impl fashion_mlp``."""
