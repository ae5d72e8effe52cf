import keras
from ncps.keras import CfCCell


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.cell = CfCCell(8, backbone_units=12, backbone_layers=1, backbone_dropout=0.0)

    def call(self, x, state, elapsed):
        return self.cell((x, elapsed), [state])[0]
