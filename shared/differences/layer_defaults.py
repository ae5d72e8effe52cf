"""What layers do when nothing is said."""

from shared.differences.spec import FUNCTIONAL, KERAS, LAYERS, NN, TF, Difference
from shared.initial import drawn

_IMAGES = {"x": "images", "mapped": "images"}
_BATCH = {"x": drawn("differences/batch", (4, 3, 2, 3))}
_GROUPS = {"x": drawn("differences/groups", (2, 3, 2, 4))}
_SMALL = {"x": ((0.0, 0.01),)}
_SINGLE_02, _SINGLE_03 = 0.20000000298023224, 0.30000001192092896  # 0.2 and 0.3 in float32

ROWS = (
    Difference(
        "batch_norm_epsilon", "`BatchNorm`: ε", "eps 1e-05", "epsilon 0.001",
        "`eps=1e-3` in PyTorch", LAYERS + "normalization_layers/batch_normalization/",
        inputs=_BATCH, roles=_IMAGES,
    ),
    Difference(
        "batch_norm_momentum", "`BatchNorm`: momentum, the weight of the new in PyTorch and of the "
        "old in Keras", "momentum 0.1", "momentum 0.99",
        "`momentum=0.01` in PyTorch: 1 − Keras' own", NN + "BatchNorm2d.html",
        inputs=_BATCH, roles={"x": "images"},
    ),
    Difference(
        "layer_norm_epsilon", "`LayerNorm` of (0, 0.01): ε is 1e-5 and 1e-3",
        (("-0.8452", "0.8452"),), (("-0.1562", "0.1562"),), "`eps=1e-3` in PyTorch",
        LAYERS + "normalization_layers/layer_normalization/", inputs=_SMALL,
    ),
    Difference(
        "group_norm_groups", "`GroupNorm`: number of groups, if none is given",
        "raises TypeError", "groups 32", "the same `num_groups`, `groups`",
        LAYERS + "normalization_layers/group_normalization/", inputs=_GROUPS, roles=_IMAGES,
    ),
    Difference(
        "group_norm_epsilon", "`GroupNorm`: ε", "eps 1e-05", "epsilon 0.001",
        "`eps=1e-3` in PyTorch", NN + "GroupNorm.html", inputs=_GROUPS, roles=_IMAGES,
    ),
    Difference(
        "rms_norm_epsilon", "`RMSNorm`: ε; None is the precision's own, 1.2e-7 in float32",
        "eps None", "epsilon 1e-06", "`eps=1e-6` in PyTorch", NN + "RMSNorm.html",
        inputs={"x": drawn("differences/rms_norm", (3, 5), 1e-2)},
    ),
    Difference(
        "instance_norm", "`InstanceNorm`", "InstanceNorm2d: affine False, eps 1e-05",
        "no such layer",
        "`GroupNormalization(groups=-1, epsilon=1e-5, center=False, scale=False)`",
        LAYERS + "normalization_layers/group_normalization/", inputs=_BATCH, roles=_IMAGES,
    ),
    Difference(
        "dense_kernel_start", "`Linear`, `Dense` 100 → 5000: initial kernel is uniform, up to ±",
        "0.1000", "0.0343", "`nn.init.xavier_uniform_` in PyTorch: the same distribution",
        LAYERS + "core_layers/dense/",
    ),
    Difference(
        "dense_bias_start", "`Linear`, `Dense` 100 → 5000: initial bias, up to ±",
        "0.100", 0.0, "`nn.init.zeros_` in PyTorch", NN + "Linear.html",
    ),
    Difference(
        "conv_kernel_start", "`Conv2d` 3×3, 3 → 5000: initial kernel is uniform, up to ±",
        "0.192", "0.0115", "`nn.init.xavier_uniform_` in PyTorch: the same distribution",
        LAYERS + "convolution_layers/convolution2d/",
    ),
    Difference(
        "conv_bias_start", "`Conv2d` 3×3, 3 → 5000: initial bias, up to ±", "0.192", 0.0,
        "`nn.init.zeros_` in PyTorch", NN + "Conv2d.html",
    ),
    Difference(
        "embedding_start", "`Embedding`: deviation of the initial table; normal in PyTorch, "
        "uniform in Keras", "1.00", "0.029",
        "`nn.init.uniform_(weight, -0.05, 0.05)` in PyTorch: the same distribution",
        LAYERS + "core_layers/embedding/",
    ),
    Difference(
        "embedding_padding", "`Embedding`: gradient of the table for words 2, 0, 2 with "
        "`padding_idx=0`, `mask_zero=True`",
        ((0.0, 0.0), (0.0, 0.0), (2.0, 2.0)), ((1.0, 1.0), (0.0, 0.0), (2.0, 2.0)),
        "Keras: multiply what comes out by the mask", NN + "Embedding.html",
        inputs={"table": ((0.0, 0.0), (1.5, 2.0), (-1.0, 0.5))}, integers={"words": ((2, 0, 2),)},
    ),
    Difference(
        "recurrent_kernel_start", "`RNN`, `LSTM`, `GRU`: initial recurrent kernel", "random",
        "orthogonal", "`nn.init.orthogonal_` in PyTorch, one gate at a time",
        LAYERS + "recurrent_layers/simple_rnn/",
    ),
    Difference(
        "lstm_forget_bias", "`LSTM`: initial bias of the forget gate", "random", "1",
        "PyTorch: fill that quarter of `bias_ih` with 1, of `bias_hh` with 0",
        LAYERS + "recurrent_layers/lstm/",
    ),
    Difference(
        "recurrent_output", "`LSTM(5)` on 2 sequences of 4 steps: shape of the output",
        "(4, 2, 5)", "(2, 5)", "`batch_first=True` in PyTorch, `return_sequences=True` in Keras",
        NN + "LSTM.html",
    ),
    Difference(
        "attention_size", "`MultiheadAttention`, 2 heads: columns of the query's kernel for "
        "`embed_dim=8`, `key_dim=8`", "8", "16", "`key_dim = embed_dim / heads`",
        LAYERS + "attention_layers/multi_head_attention/",
    ),
    Difference(
        "leaky_relu_layer", "`LeakyReLU` layer of −2, −1, 0.5", ("-0.02", "-0.01", 0.5),
        ("-0.60", "-0.30", 0.5), "the same slope; TensorFlow rounds 0.3 to float32: "
        "`negative_slope=float(np.float32(0.3))`", LAYERS + "activation_layers/leaky_relu/",
        inputs={"x": (-2.0, -1.0, 0.5)},
    ),
    Difference(
        "leaky_relu_function", "`leaky_relu` function of −2, −1, 0.5", ("-0.02", "-0.01", 0.5),
        ("-0.40", "-0.20", 0.5), "the same slope; TensorFlow rounds 0.2 to float32: "
        "`negative_slope=float(np.float32(0.2))`",
        LAYERS + "activations/", inputs={"x": (-2.0, -1.0, 0.5)},
    ),
    Difference(
        "prelu_start", "`PReLU` of −2, −1, 0.5 before training", ((-0.5, -0.25, 0.5),),
        ((0.0, 0.0, 0.5),), "`alpha_initializer=Constant(0.25)` in Keras",
        LAYERS + "activation_layers/prelu/", inputs={"x": ((-2.0, -1.0, 0.5),)},
    ),
    Difference(
        "prelu_slopes", "`PReLU`: slopes learnt for images of 5×5×3", "1", "75",
        "`num_parameters=3` in PyTorch, `shared_axes=[1, 2]` in Keras", NN + "PReLU.html",
    ),
    Difference(
        "gelu", "`gelu`: with which function; in float64 TensorFlow rounds its constants to "
        "float32",
        "erf", "erf", "", FUNCTIONAL + "gelu.html", inputs={"x": (1.0, -0.5)},
    ),
    Difference(
        "hard_sigmoid", "`hard_sigmoid` of 1, −2.5: equal since Keras 3", ("0.66667", "0.08333"),
        ("0.66667", "0.08333"), "", LAYERS + "activations/", inputs={"x": (1.0, -2.5)},
    ),
    Difference(
        "softplus", "`softplus` of 19, 21: PyTorch's is a straight line above 20",
        (19.000000005602796, 21.0), (19.000000005602796, 21.000000000758256),
        "`threshold=40` in PyTorch", NN + "Softplus.html", inputs={"x": (19.0, 21.0)},
    ),
    Difference(
        "softmax_axis", "`softmax` of zeros of shape (2, 1, 4), no axis given",
        (((0.5,) * 4,),) * 2, (((0.25,) * 4,),) * 2, "`dim=-1` in PyTorch",
        FUNCTIONAL + "softmax.html", inputs={"x": (((0.0,) * 4,),) * 2},
    ),
    Difference(
        "dropout_rate", "`Dropout` without a rate", "no error", "raises TypeError",
        "say 0.5: both then give 0 or 2 for 1", NN + "Dropout.html",
    ),
    Difference(
        "dropout_scale", "`Dropout(0.75)` of ones: what is left is scaled up alike", (0.0, 4.0),
        (0.0, 4.0), "", LAYERS + "regularization_layers/dropout/",
    ),
    Difference(
        "average_pool_padding", "Average pooling 3×3 of ones, padded: the corner", "0.4444", 1.0,
        "`count_include_pad=False` in PyTorch", NN + "AvgPool2d.html",
        inputs={"x": ((((1.0,),) * 4,) * 4,)}, roles=_IMAGES,
    ),
    Difference(
        "max_pool_padding", "Maximum pooling 3×3 of −1, padded by 1: the corner; `ZeroPadding2D` "
        "before it in Keras", -1.0, 0.0, "Keras: pad with the lowest number, `tf.pad(…, "
        "constant_values=x.dtype.min)`", NN + "MaxPool2d.html",
        inputs={"x": ((((-1.0,),) * 4,) * 5,)}, roles=_IMAGES,
    ),
    Difference(
        "upsampling", "`Upsample`, `UpSampling2D`: both take the nearest",
        *(((((1.0,), (1.0,), (2.0,), (2.0,)), ((1.0,), (1.0,), (2.0,), (2.0,))),),) * 2, "",
        LAYERS + "reshaping_layers/up_sampling2d/", inputs={"x": ((((1.0,), (2.0,)),),)},
        roles={"x": "images", "given": "images"},
    ),
    Difference(
        "padding_order", "`pad` by 1, 2, 3, 4 of a (5, 6) matrix: new shape; PyTorch begins with "
        "the last axis", "(12, 9)", "(8, 13)", "PyTorch: `F.pad(x, (3, 4, 1, 2))`",
        FUNCTIONAL + "pad.html", inputs={"x": drawn("differences/pad", (5, 6))},
    ),
    Difference(
        "integer_dtype", "A list of whole numbers as a tensor", "int64", "int32",
        "`tf.constant(…, tf.int64)`", TF + "constant",
    ),
    Difference(
        "floating_dtype", "`1.5` as a tensor after float64 was made the default; `tf.constant` "
        "does not ask `set_floatx`", "float64", "float32",
        "Keras: `convert_to_tensor(…, dtype=floatx())`", KERAS + "utils/config_utils/",
    ),
)  # fmt: skip
