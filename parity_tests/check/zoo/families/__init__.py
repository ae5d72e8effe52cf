"""A file a family: PyTorch's model, Keras' model, how weights go from one to the other, and PAIRS.

Frameworks are imported within functions, for each model is built in a process of its own.
"""
