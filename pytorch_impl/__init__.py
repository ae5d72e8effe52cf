"""The examples in idiomatic PyTorch. Run one: ``python -m pytorch_impl fashion_mlp``."""
