import keras
from keras import layers, ops


class Experts(keras.Model):
    """All experts, and the share of each; zero for those that a row does not choose."""

    def __init__(self, activation="silu", axis=-1, outputs=0):
        super().__init__()
        self.activation, self.axis = keras.activations.get(activation), axis
        self.before, self.gate = layers.Dense(8, name="before"), layers.Dense(3, name="gate")
        self.gates = self.add_weight(shape=(3, 8, 7), name="gates")
        self.ups = self.add_weight(shape=(3, 8, 7), name="ups")
        self.down = self.add_weight(shape=(3, 7, 8), name="down")
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm")
        self.head = layers.Dense(outputs, name="head") if outputs else None

    def call(self, x):
        x = self.before(x)
        share = ops.softmax(self.gate(x), axis=self.axis)
        most, chosen = ops.top_k(share, 2)
        share = ops.sum(ops.one_hot(chosen, 3) * most[..., None], axis=1)
        gate, up = (ops.einsum("th,ehm->etm", x, w) for w in (self.gates, self.ups))
        made = ops.einsum("etm,emh->eth", self.activation(gate) * up, self.down)
        y = self.norm(x + ops.sum(made * ops.transpose(share)[..., None], axis=0))
        return y if self.head is None else self.head(y)
