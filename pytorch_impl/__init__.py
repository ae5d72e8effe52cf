"""The examples in idiomatic PyTorch; ``python -m pytorch_impl fashion_mlp`` runs one."""
