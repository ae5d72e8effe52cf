import keras
from keras import layers


def Net():
    query, context = keras.Input((5,), name="query"), keras.Input((6,), name="context")
    return keras.Model([query, context], layers.Dense(4)(query) + layers.Dense(4)(context))
