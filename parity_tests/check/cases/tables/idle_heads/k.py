import keras
from keras import layers, ops


class Net(keras.Model):
    idle, epsilon = False, 1e-5

    def __init__(self):
        super().__init__()
        if self.idle:
            self.teacher = layers.Dense(6, name="teacher")
        self.inlet, self.head = layers.Dense(6, name="inlet"), layers.Dense(6, name="head")
        self.norm = layers.LayerNormalization(epsilon=self.epsilon, name="norm")
        self.scale = self.add_weight(shape=(6,), initializer="ones", name="scale")

    def call(self, x):
        if self.idle:
            self.teacher(x)
        return self.head(self.norm(ops.relu(self.inlet(x))) * self.scale)


class Idle(Net):
    idle = True


class Wide(Idle):
    epsilon = 1e-2
