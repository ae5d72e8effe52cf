"""What layers do when nothing is said."""

from parity.spec.difference import FUNCTIONAL, KERAS, LAYERS, NN, TF, Difference, NoWay
from shared.initial_weights import drawn

_IMAGES = {"x": "images", "mapped": "images"}
_BATCH = {"x": drawn("differences/batch", (4, 3, 2, 3))}
_GROUPS = {"x": drawn("differences/groups", (2, 3, 2, 4))}
_SMALL = {"x": ((0.0, 0.01),)}
_SINGLE_02, _SINGLE_03 = 0.20000000298023224, 0.30000001192092896  # 0.2 and 0.3 in float32

ROWS = (
    Difference(
        "batch_norm_epsilon",
        "`BatchNorm`: ε",
        "eps 1e-05",
        "epsilon 0.001",
        "`eps=1e-3` in PyTorch",
        LAYERS + "normalization_layers/batch_normalization/",
        in_torch="nn.BatchNorm2d(3, eps=1e-3)",
        in_keras="keras.layers.BatchNormalization(epsilon=1e-5)",
        inputs=_BATCH,
        roles=_IMAGES,
    ),
    Difference(
        "batch_norm_momentum",
        "`BatchNorm`: momentum, the weight of the new in PyTorch and of the old in Keras",
        "momentum 0.1",
        "momentum 0.99",
        "`momentum=0.01` in PyTorch: 1 − Keras' own",
        NN + "BatchNorm2d.html",
        in_torch="nn.BatchNorm2d(3, momentum=0.01)",
        in_keras="keras.layers.BatchNormalization(momentum=0.9)",
        inputs=_BATCH,
        roles={"x": "images"},
    ),
    Difference(
        "layer_norm_epsilon",
        "`LayerNorm` of (0, 0.01): ε is 1e-5 and 1e-3",
        (("-0.8452", "0.8452"),),
        (("-0.1562", "0.1562"),),
        "`eps=1e-3` in PyTorch",
        LAYERS + "normalization_layers/layer_normalization/",
        in_torch="nn.LayerNorm(2, eps=1e-3)(x)",
        in_keras="keras.layers.LayerNormalization(epsilon=1e-5)(x)",
        inputs=_SMALL,
    ),
    Difference(
        "group_norm_groups",
        "`GroupNorm`: number of groups, if none is given",
        "raises TypeError",
        "groups 32",
        "the same `num_groups`, `groups`",
        LAYERS + "normalization_layers/group_normalization/",
        in_torch="nn.GroupNorm(32, 64)",
        in_keras=NoWay(
            "PyTorch has no default here. Say how many: "
            "`keras.layers.GroupNormalization(groups=2)`."
        ),
        inputs=_GROUPS,
        roles=_IMAGES,
    ),
    Difference(
        "group_norm_epsilon",
        "`GroupNorm`: ε",
        "eps 1e-05",
        "epsilon 0.001",
        "`eps=1e-3` in PyTorch",
        NN + "GroupNorm.html",
        in_torch="nn.GroupNorm(2, 4, eps=1e-3)(x)",
        in_keras="keras.layers.GroupNormalization(groups=2, epsilon=1e-5)(x)",
        inputs=_GROUPS,
        roles=_IMAGES,
    ),
    Difference(
        "rms_norm_epsilon",
        "`RMSNorm`: ε; None is the precision's own, 1.2e-7 in float32",
        "eps None",
        "epsilon 1e-06",
        "`eps=1e-6` in PyTorch",
        NN + "RMSNorm.html",
        in_torch="nn.RMSNorm(5, eps=1e-6)(x)",
        in_keras=(
            'epsilon = np.finfo("float32").eps  # 1.2e-7\n'
            "keras.layers.RMSNormalization(epsilon=epsilon)(x)"
        ),
        inputs={"x": drawn("differences/rms_norm", (3, 5), 1e-2)},
    ),
    Difference(
        "instance_norm",
        "`InstanceNorm`",
        "InstanceNorm2d: affine False, eps 1e-05",
        "no such layer",
        "`GroupNormalization(groups=-1, epsilon=1e-5, center=False, scale=False)`",
        LAYERS + "normalization_layers/group_normalization/",
        in_torch=NoWay("Keras has no such layer, so there is nothing to match."),
        in_keras=(
            "keras.layers.GroupNormalization(\n"
            "    groups=-1, epsilon=1e-5, center=False, scale=False\n"
            ")(x)"
        ),
        inputs=_BATCH,
        roles=_IMAGES,
    ),
    Difference(
        "dense_kernel_start",
        "`Linear`, `Dense` 100 → 5000: bound of the uniform initial kernel",
        "0.1000",
        "0.0343",
        "`nn.init.xavier_uniform_` in PyTorch: the same distribution",
        LAYERS + "core_layers/dense/",
        in_torch=("layer = nn.Linear(100, 5000)\nnn.init.xavier_uniform_(layer.weight)"),
        in_keras=(
            'start = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")\n'
            "keras.layers.Dense(5000, kernel_initializer=start)"
        ),
    ),
    Difference(
        "dense_bias_start",
        "`Linear`, `Dense` 100 → 5000: bound of the initial bias",
        "0.100",
        0.0,
        "`nn.init.zeros_` in PyTorch",
        NN + "Linear.html",
        in_torch=("layer = nn.Linear(100, 5000)\nnn.init.zeros_(layer.bias)"),
        in_keras=(
            "bound = 100**-0.5  # 100 inputs\n"
            "start = keras.initializers.RandomUniform(-bound, bound)\n"
            "keras.layers.Dense(5000, bias_initializer=start)"
        ),
    ),
    Difference(
        "conv_kernel_start",
        "`Conv2d` 3×3, 3 → 5000: bound of the uniform initial kernel",
        "0.192",
        "0.0115",
        "`nn.init.xavier_uniform_` in PyTorch: the same distribution",
        LAYERS + "convolution_layers/convolution2d/",
        in_torch=("layer = nn.Conv2d(3, 5000, 3)\nnn.init.xavier_uniform_(layer.weight)"),
        in_keras=(
            'start = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")\n'
            "keras.layers.Conv2D(5000, 3, kernel_initializer=start)"
        ),
    ),
    Difference(
        "conv_bias_start",
        "`Conv2d` 3×3, 3 → 5000: bound of the initial bias",
        "0.192",
        0.0,
        "`nn.init.zeros_` in PyTorch",
        NN + "Conv2d.html",
        in_torch=("layer = nn.Conv2d(3, 5000, 3)\nnn.init.zeros_(layer.bias)"),
        in_keras=(
            "bound = (3 * 3 * 3) ** -0.5  # 3×3 places of 3 channels\n"
            "start = keras.initializers.RandomUniform(-bound, bound)\n"
            "keras.layers.Conv2D(5000, 3, bias_initializer=start)"
        ),
    ),
    Difference(
        "embedding_start",
        "`Embedding`: deviation of the initial table; normal in PyTorch, uniform in Keras",
        "1.00",
        "0.029",
        "`nn.init.uniform_(weight, -0.05, 0.05)` in PyTorch: the same distribution",
        LAYERS + "core_layers/embedding/",
        in_torch=("layer = nn.Embedding(1000, 1000)\nnn.init.uniform_(layer.weight, -0.05, 0.05)"),
        in_keras=(
            "start = keras.initializers.RandomNormal(stddev=1.0)\n"
            "keras.layers.Embedding(1000, 1000, embeddings_initializer=start)"
        ),
    ),
    Difference(
        "embedding_padding",
        "`Embedding`: gradient of the table for words 2, 0, 2 with "
        "`padding_idx=0`, `mask_zero=True`",
        ((0.0, 0.0), (0.0, 0.0), (2.0, 2.0)),
        ((1.0, 1.0), (0.0, 0.0), (2.0, 2.0)),
        "Keras: multiply what comes out by the mask",
        NN + "Embedding.html",
        in_torch="nn.Embedding(3, 2)  # without padding_idx",
        in_keras=(
            "layer = keras.layers.Embedding(3, 2, mask_zero=True)\n"
            'keep = keras.ops.cast(layer.compute_mask(words), "float32")\n'
            "y = layer(words) * keep[..., None]"
        ),
        inputs={"table": ((0.0, 0.0), (1.5, 2.0), (-1.0, 0.5))},
        integers={"words": ((2, 0, 2),)},
    ),
    Difference(
        "recurrent_kernel_start",
        "`RNN`, `LSTM`, `GRU`: initial recurrent kernel",
        "random",
        "orthogonal",
        "`nn.init.orthogonal_` in PyTorch, of all gates at once",
        LAYERS + "recurrent_layers/simple_rnn/",
        in_torch=("layer = nn.RNN(7, 50)\nnn.init.orthogonal_(layer.weight_hh_l0)"),
        in_keras=(
            "bound = 50**-0.5  # 50 units\n"
            "start = keras.initializers.RandomUniform(-bound, bound)\n"
            "keras.layers.SimpleRNN(50, recurrent_initializer=start)"
        ),
    ),
    Difference(
        "lstm_forget_bias",
        "`LSTM`: initial bias of the forget gate",
        "random",
        "1",
        "PyTorch: fill that quarter of `bias_ih` with 1, of `bias_hh` with 0",
        LAYERS + "recurrent_layers/lstm/",
        in_torch=(
            "layer = nn.LSTM(7, 50)\n"
            "with torch.no_grad():\n"
            "    layer.bias_hh_l0.zero_()\n"
            "    layer.bias_ih_l0.zero_()[50:100] = 1  # the forget gate"
        ),
        in_keras=(
            "bound = 50**-0.5  # 50 units; in PyTorch two of these add up\n"
            "start = keras.initializers.RandomUniform(-bound, bound)\n"
            "keras.layers.LSTM(50, unit_forget_bias=False, bias_initializer=start)"
        ),
    ),
    Difference(
        "recurrent_output",
        "`LSTM(5)` on 2 sequences of 4 steps: shape of the output",
        "(4, 2, 5)",
        "(2, 5)",
        "`batch_first=True` in PyTorch, `return_sequences=True` in Keras",
        NN + "LSTM.html",
        in_torch=(
            "layer = nn.LSTM(3, 5, batch_first=True)\n"
            "_, (hidden, _) = layer(torch.zeros(2, 4, 3))\n"
            "last = hidden[-1]  # (2, 5)"
        ),
        in_keras=(
            "layer = keras.layers.LSTM(5, return_sequences=True)\n"
            "y = layer(keras.ops.zeros((2, 4, 3)))\n"
            "steps_first = keras.ops.swapaxes(y, 0, 1)  # (4, 2, 5)"
        ),
    ),
    Difference(
        "attention_size",
        "`MultiheadAttention`, 2 heads: columns of the query's kernel for "
        "`embed_dim=8`, `key_dim=8`",
        "8",
        "16",
        "`key_dim = embed_dim / heads`",
        LAYERS + "attention_layers/multi_head_attention/",
        in_torch=NoWay(
            "The heads share `embed_dim`: together they cannot be wider than the query. "
            "Widen it before with `nn.Linear(8, 16)`."
        ),
        in_keras="keras.layers.MultiHeadAttention(num_heads=2, key_dim=8 // 2)",
    ),
    Difference(
        "leaky_relu_layer",
        "`LeakyReLU` layer of −2, −1, 0.5",
        ("-0.02", "-0.01", 0.5),
        ("-0.60", "-0.30", 0.5),
        "the same slope; TensorFlow rounds 0.3 to float32: `negative_slope=float(np.float32(0.3))`",
        LAYERS + "activation_layers/leaky_relu/",
        in_torch="nn.LeakyReLU(0.3)(x)  # in float64: float(np.float32(0.3))",
        in_keras="keras.layers.LeakyReLU(negative_slope=0.01)(x)",
        inputs={"x": (-2.0, -1.0, 0.5)},
    ),
    Difference(
        "leaky_relu_function",
        "`leaky_relu` function of −2, −1, 0.5",
        ("-0.02", "-0.01", 0.5),
        ("-0.40", "-0.20", 0.5),
        "the same slope; TensorFlow rounds 0.2 to float32: `negative_slope=float(np.float32(0.2))`",
        LAYERS + "activations/",
        in_torch="F.leaky_relu(x, 0.2)  # in float64: float(np.float32(0.2))",
        in_keras="keras.activations.leaky_relu(x, negative_slope=0.01)",
        inputs={"x": (-2.0, -1.0, 0.5)},
    ),
    Difference(
        "prelu_start",
        "`PReLU` of −2, −1, 0.5 before training",
        ((-0.5, -0.25, 0.5),),
        ((0.0, 0.0, 0.5),),
        "`alpha_initializer=Constant(0.25)` in Keras",
        LAYERS + "activation_layers/prelu/",
        in_torch="nn.PReLU(init=0.0)(x)",
        in_keras=(
            "start = keras.initializers.Constant(0.25)\n"
            "keras.layers.PReLU(alpha_initializer=start)(x)"
        ),
        inputs={"x": ((-2.0, -1.0, 0.5),)},
    ),
    Difference(
        "prelu_slopes",
        "`PReLU`: slopes learnt for images of 5×5×3",
        "1",
        "75",
        "`num_parameters=3` in PyTorch, `shared_axes=[1, 2]` in Keras",
        NN + "PReLU.html",
        in_torch=("nn.Sequential(\n    nn.Flatten(), nn.PReLU(75), nn.Unflatten(1, (3, 5, 5))\n)"),
        in_keras="keras.layers.PReLU(shared_axes=[1, 2, 3])",
    ),
    Difference(
        "gelu",
        "`gelu`: with which function; in float64 TensorFlow rounds its constants to float32",
        "erf",
        "erf",
        "",
        FUNCTIONAL + "gelu.html",
        in_torch="F.gelu(x)",
        in_keras="keras.activations.gelu(x)",
        inputs={"x": (1.0, -0.5)},
    ),
    Difference(
        "hard_sigmoid",
        "`hard_sigmoid` of 1, −2.5: equal since Keras 3",
        ("0.66667", "0.08333"),
        ("0.66667", "0.08333"),
        "",
        LAYERS + "activations/",
        in_torch="F.hardsigmoid(x)",
        in_keras="keras.activations.hard_sigmoid(x)",
        inputs={"x": (1.0, -2.5)},
    ),
    Difference(
        "softplus",
        "`softplus` of 19, 21: PyTorch's is a straight line above 20",
        (19.000000005602796, 21.0),
        (19.000000005602796, 21.000000000758256),
        "`threshold=40` in PyTorch",
        NN + "Softplus.html",
        in_torch="F.softplus(x, threshold=40)",
        in_keras="keras.ops.where(x > 20, x, keras.activations.softplus(x))",
        inputs={"x": (19.0, 21.0)},
    ),
    Difference(
        "softmax_axis",
        "`softmax` of zeros of shape (2, 1, 4), no axis given",
        (((0.5,) * 4,),) * 2,
        (((0.25,) * 4,),) * 2,
        "`dim=-1` in PyTorch",
        FUNCTIONAL + "softmax.html",
        in_torch="F.softmax(x, dim=-1)",
        in_keras="keras.activations.softmax(x, axis=0)",
        inputs={"x": (((0.0,) * 4,),) * 2},
    ),
    Difference(
        "dropout_rate",
        "`Dropout` without a rate",
        "no error",
        "raises TypeError",
        "say 0.5: both then give 0 or 2 for 1",
        NN + "Dropout.html",
        in_torch=NoWay("Keras asks for the rate. Say it in PyTorch too: `nn.Dropout(0.5)`."),
        in_keras="keras.layers.Dropout(0.5)",
    ),
    Difference(
        "dropout_scale",
        "`Dropout(0.75)` of ones: what is left is scaled up alike",
        (0.0, 4.0),
        (0.0, 4.0),
        "",
        LAYERS + "regularization_layers/dropout/",
        in_torch="nn.Dropout(0.75)",
        in_keras="keras.layers.Dropout(0.75)",
    ),
    Difference(
        "average_pool_padding",
        "Average pooling 3×3 of ones, padded: the corner",
        "0.4444",
        1.0,
        "`count_include_pad=False` in PyTorch",
        NN + "AvgPool2d.html",
        in_torch="F.avg_pool2d(x, 3, 1, padding=1, count_include_pad=False)",
        in_keras=(
            "padded = keras.layers.ZeroPadding2D(1)(x)\nkeras.layers.AveragePooling2D(3, 1)(padded)"
        ),
        inputs={"x": ((((1.0,),) * 4,) * 4,)},
        roles=_IMAGES,
    ),
    Difference(
        "max_pool_padding",
        "Maximum pooling 3×3 of −1, padded by 1: the corner; `ZeroPadding2D` before it in Keras",
        -1.0,
        0.0,
        "Keras: pad with the lowest number, `tf.pad(…, constant_values=x.dtype.min)`",
        NN + "MaxPool2d.html",
        in_torch="F.max_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 1)",
        in_keras='keras.layers.MaxPooling2D(3, 1, padding="same")(x)',
        inputs={"x": ((((-1.0,),) * 4,) * 5,)},
        roles=_IMAGES,
    ),
    Difference(
        "upsampling",
        "`Upsample`, `UpSampling2D`: both take the nearest",
        *(((((1.0,), (1.0,), (2.0,), (2.0,)), ((1.0,), (1.0,), (2.0,), (2.0,))),),) * 2,
        "",
        LAYERS + "reshaping_layers/up_sampling2d/",
        in_torch="nn.Upsample(scale_factor=2)(x)",
        in_keras="keras.layers.UpSampling2D()(x)",
        inputs={"x": ((((1.0,), (2.0,)),),)},
        roles={"x": "images", "given": "images"},
    ),
    Difference(
        "padding_order",
        "`pad` by 1, 2, 3, 4 of a (5, 6) matrix: new shape; PyTorch begins with the last axis",
        "(12, 9)",
        "(8, 13)",
        "PyTorch: `F.pad(x, (3, 4, 1, 2))`",
        FUNCTIONAL + "pad.html",
        in_torch="F.pad(x, (3, 4, 1, 2))",
        in_keras="keras.ops.pad(x, ((3, 4), (1, 2)))",
        inputs={"x": drawn("differences/pad", (5, 6))},
    ),
    Difference(
        "integer_dtype",
        "A list of whole numbers as a tensor",
        "int64",
        "int32",
        "`tf.constant(…, tf.int64)`",
        TF + "constant",
        in_torch="torch.tensor([1, 2], dtype=torch.int32)",
        in_keras="tf.constant([1, 2], tf.int64)",
    ),
    Difference(
        "floating_dtype",
        "`1.5` as a tensor after float64 was made the default; `tf.constant` "
        "does not ask `set_floatx`",
        "float64",
        "float32",
        "Keras: `convert_to_tensor(…, dtype=floatx())`",
        KERAS + "utils/config_utils/",
        in_torch="torch.tensor(1.5, dtype=torch.float32)",
        in_keras="keras.ops.convert_to_tensor(1.5, dtype=keras.config.floatx())",
    ),
)
