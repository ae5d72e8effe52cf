"""What families share: small sizes, models of transformers by name, the thinnest wrappers."""

SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
}
TOKENS = ("2,11:int<50", "2,11:bool")


def transformer(
    kind,
    config,
    inputs=("input_ids", "attention_mask"),
    outputs=("last_hidden_state",),
    *,
    every_row_learns=False,
    fixed=None,
    **more,
):
    """A model of transformers, called by names as its documentation does.

    Args:
        kind: ``Bert`` for `BertModel` with a `BertConfig`.
        config: arguments of the configuration.
        inputs: names of the arguments, in the order of Keras' inputs.
        outputs: names of the outputs that Keras' model has as well, in its order.
        every_row_learns: tables have no ``padding_idx``, as Keras' have none.
        fixed: further arguments of every call.
        more: arguments of the model's class.
    """
    import transformers
    from torch import nn

    class Named(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, *arrays):
            found = self.model(**dict(zip(inputs, arrays, strict=True)), **(fixed or {}))
            return tuple(found[name] for name in outputs)

    family, _, name = kind.partition(":")
    config = getattr(transformers, f"{family}{name.removesuffix('Model')}Config")(**config)
    config._experts_implementation = "eager"  # the other one cannot compute in float64
    model = getattr(transformers, f"{family}{name or 'Model'}")(config, **more)
    for module in model.modules():
        if every_row_learns and isinstance(module, nn.Embedding):
            module.padding_idx = None
    return Named(model)


def backbone(kind, *sizes, **settings):
    """A backbone of keras_hub."""
    import keras_hub

    return getattr(keras_hub.models, f"{kind}Backbone")(*sizes, **settings)


def positions(first=0, many=11):
    """Positions to be handed in, so that no id and no mask has a say in them."""
    import torch

    return {"position_ids": torch.arange(first, first + many)[None]}
