"""ResNet-18 as torchvision has it, with a new head.

Twin: keras_impl/resnet.py
Look at: `build_model`, which is one call here and written out there; `imagenet_model`, whose
weights have an address; and `take_weights`, which turns no array.
"""

import torch
from safetensors.numpy import load_file
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, TensorDataset
from torchvision.models import ResNet18_Weights, resnet18

from shared.data import load
from shared.plots import Plots

BATCH_SIZE = 8
EPOCHS = 1
MEAN = (0.4914, 0.48216, 0.44653)
DEVIATION = (0.24703, 0.24349, 0.26159)

loss_fn = nn.CrossEntropyLoss()


def build_model():
    """ResNet-18 and a head of ten classes: ``(batch, 3, h, w)`` to logits ``(batch, 10)``."""
    model = resnet18()
    model.fc = nn.Linear(512, 10)
    return model


def pretrained(path):
    """The model with pretrained weights from a safetensors file, all but the head, which is new."""
    model = build_model()
    state = {name: a for name, a in load_file(path).items() if not name.startswith("fc.")}
    take_weights(model, state)
    return model


def weights_of(model):
    """All weights as arrays by PyTorch's names; copies, or they would move with the model."""
    return {name: w.numpy(force=True).copy() for name, w in model.state_dict().items()}


def take_weights(model, state):
    """Weights by PyTorch's names into the model; what is not given stays as it is."""
    own = model.state_dict()
    if unknown := sorted(state.keys() - own.keys()):
        raise KeyError(f"ResNet-18 has no weights named {', '.join(unknown)}")
    model.load_state_dict(own | {name: torch.from_numpy(a) for name, a in state.items()})


def make_optimizer(model):
    """SGD with momentum."""
    return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)


def train_step(model, optimizer, images, labels):
    """One step of the optimizer on one batch; the mean loss before it."""
    loss = loss_fn(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss


def train_one_epoch(model, optimizer, loader):
    """Every batch once; the mean loss of the epoch, as it went down."""
    model.train()
    total = 0.0
    for images, labels in loader:
        loss = train_step(model, optimizer, images, labels)
        total += loss.item() * len(labels)
    return total / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader):
    """Mean loss and accuracy."""
    model.eval()
    total, correct, samples = 0.0, 0, 0
    for images, labels in loader:
        logits = model(images)
        total += loss_fn(logits, labels).item() * len(labels)
        correct += (logits.argmax(dim=1) == labels).sum().item()
        samples += len(labels)
    return total / samples, correct / samples


@torch.no_grad()
def predict(model, images):
    """Probabilities ``(batch, 10)``: the model gives logits, softmax makes them confidences."""
    model.eval()
    return F.softmax(model(images), dim=1)


def imagenet_model():
    """The whole model as ImageNet trained it; the first call fetches 45 MB.

    `pretrained=True` has gone; weights are named now, and bring their own preprocessing and the
    1,000 names of their classes.
    """
    weights = ResNet18_Weights.DEFAULT
    return resnet18(weights=weights), weights.transforms(), weights.meta["categories"]


def name_of(image):
    """What ImageNet's model sees in an image ``(h, w, 3)`` of bytes: a name and its confidence."""
    model, transform, names = imagenet_model()
    batch = transform(torch.from_numpy(image).permute(2, 0, 1)).unsqueeze(0)
    confidence, best = predict(model, batch)[0].max(dim=0)
    return names[best], confidence.item()


def fit(model, optimizer, train_loader, test_loader, epochs):
    """Your own `fit`: prints and keeps loss and accuracy of every epoch."""
    history = {"loss": [], "test loss": [], "test accuracy": []}
    for epoch in range(1, epochs + 1):
        loss = train_one_epoch(model, optimizer, train_loader)
        test_loss, accuracy = evaluate(model, test_loader)
        for name, value in zip(history, (loss, test_loss, accuracy), strict=True):
            history[name].append(value)
        print(f"epoch {epoch}: loss {loss:.4f}, test loss {test_loss:.4f}, accuracy {accuracy:.4f}")
    return history


def main():
    """A new head on 512 features, trained on CIFAR-10; then ImageNet's own classes."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    data = load("cifar10", "available", train=1000, test=1000)
    print(data.describe())
    sets = []
    for images, labels in (
        (data.train_images, data.train_labels),
        (data.test_images, data.test_labels),
    ):
        scaled = torch.from_numpy(images).float() / 255
        normalised = (scaled - torch.tensor(MEAN)) / torch.tensor(DEVIATION)
        channels_first = normalised.permute(0, 3, 1, 2).contiguous()
        sets.append(TensorDataset(channels_first, torch.from_numpy(labels)))
    train_loader = DataLoader(sets[0], batch_size=BATCH_SIZE, shuffle=True)
    test_loader = DataLoader(sets[1], batch_size=100)

    model = build_model()
    print("head:", model.fc, "on features of", model.layer4[1].conv2.out_channels, "channels")
    print(sum(p.numel() for p in model.parameters()), "parameters")
    history = fit(model, make_optimizer(model), train_loader, test_loader, EPOCHS)
    try:
        print("ImageNet sees", name_of(data.test_images[0]))
    except OSError as error:  # no network: the file must lie in torch.hub's folder
        print(f"ImageNet's weights could not be fetched ({error}); put the file into")
        print(f"  {torch.hub.get_dir()}/checkpoints from {ResNet18_Weights.DEFAULT.url}")
    plots.curves("training", history)


if __name__ == "__main__":
    main()
