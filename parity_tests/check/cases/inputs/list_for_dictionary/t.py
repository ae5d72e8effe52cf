from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.images, self.text, self.out = nn.Linear(5, 6), nn.Embedding(30, 6), nn.Linear(6, 4)

    def forward(self, pixel_values, input_ids):
        x = nn.functional.gelu(self.images(pixel_values))
        return self.out(x + self.text(input_ids).mean(1))
