"""How PyTorch's side is timed: one function a way of writing the same training."""

import itertools
import time

import torch
import torchvision
from PIL import Image
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torchvision import transforms

from parity.bench.child import Prepared
from parity.bench.job import Timeline
from parity.torch_side import products
from parity.torch_side.fast_path import LONGEST, Steps


def versions():
    """Of the framework."""
    return {"torch": torch.__version__, "torchvision": torchvision.__version__}


def plain(threads, seed):
    """The framework as it comes, but for the number of threads."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)


def prepare(task):
    """Everything up to the first step: model, optimizer, data in memory."""
    ways = {
        "tutorial": _tutorial,
        "idiomatic": _idiomatic,
        "fast": _fast,
        "limit": _limit,
        "eager": _eager,
        "compiled": _compiled,
    }
    return ways[task.job.way](task)


def _model(task):
    shape = task.images(task.kept[:1]).shape[1:]

    def perceptron(width):
        inputs = torch.Size(shape).numel()
        return nn.Sequential(
            nn.Flatten(), nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, task.outputs)
        )

    return task.model(perceptron)


class _Images(Dataset):
    """As torchvision's datasets are: an item is a PIL image, transformed when it is asked for."""

    def __init__(self, images, labels, transform):
        self.data, self.targets, self.transform = images, labels, transform

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        image, target = self.data[index], int(self.targets[index])
        return self.transform(Image.fromarray(image)), target


def _dataset(task):
    raw, labels = task.dataset.train_images[task.kept], task.labels(task.kept)
    if raw.ndim < 3:  # rows of numbers, no images
        return TensorDataset(torch.from_numpy(task.images(task.kept)), torch.from_numpy(labels))
    steps = [transforms.ToTensor()]
    if task.training.scaling == "standard":
        steps.append(transforms.Normalize(task.training.mean, task.training.deviation))
    return _Images(raw, labels, transforms.Compose(steps))


def _usual_optimizer(own, model):
    """The framework's optimizer of the twin's kind, with the twin's learning rate."""
    if not isinstance(own, torch.optim.Optimizer):  # by hand: plain gradient descent
        return torch.optim.SGD(model.parameters(), lr=0.1)
    kind = torch.optim.Adam if "adam" in type(own).__name__.lower() else torch.optim.SGD
    return kind(model.parameters(), lr=own.param_groups[0]["lr"])


def _tutorial(task):
    model = _model(task)
    optimizer = _usual_optimizer(task.optimizer(model), model)
    loader = DataLoader(_dataset(task), batch_size=task.batch_size, shuffle=True)

    def loss_of(logits, labels):
        if logits.shape[1] == 1:
            return F.binary_cross_entropy_with_logits(logits.squeeze(1), labels.float())
        return F.cross_entropy(logits, labels)

    def train():
        model.train()
        line = _Line()
        for _ in range(task.epochs):
            for images, labels in loader:
                loss = loss_of(model(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                loss.item()
                line.mark()
        return line.timeline()

    def load():
        for _ in loader:
            pass

    return Prepared(train, load)


def _idiomatic(task):
    framework, batches = task.framework, task.batches
    model = _model(task)
    optimizer = task.optimizer(model)

    def train():
        line = _Line()
        framework.train(task.program, model, optimizer, batches, lambda step, loss: line.mark())
        return line.timeline()

    def load():
        for images, labels, *masks in itertools.islice(batches, batches.steps_per_epoch):
            batches.fed(images, labels, *masks)
            _ = framework.inputs(images), framework.tensor(labels), *map(framework.tensor, masks)

    return Prepared(train, load)


def _fast(task):
    torch.set_flush_denormal(True)  # see `_fast.flushing`; before any thread is started
    model = _model(task)
    images, labels = torch.from_numpy(task.images()), torch.from_numpy(task.labels())
    steps = Steps(
        task.gradients,
        model,
        task.optimizer(model),
        images,
        labels,
        channels_last=task.fast.channels_last,
        traced=task.fast.traced,
    )
    order = [torch.from_numpy(some) for some in task.stretches(LONGEST)]

    def train():
        begin = time.perf_counter()
        steps(order[0][:1])
        line = _Line(first=time.perf_counter() - begin)
        for _ in range(task.epochs):
            for some in order:
                steps(some)
                line.mark(len(some))
        return line.timeline()

    def load():
        for some in order:
            for _ in steps.batches(some):
                pass

    return Prepared(train, load)


def _limit(task):
    model = _model(task)
    channels_last = task.fast.channels_last
    steps = {}
    for length in set(task.lengths):
        images = torch.from_numpy(_first(task.images(task.kept[:length])))
        found = products.find(model, task.gradients, images, task.labels(task.kept[:length]))
        steps[length] = products.step(found, channels_last)

    def train():
        line = None
        with torch.no_grad():
            for _ in range(task.epochs):
                for length in task.lengths:
                    line = line or _Line()
                    steps[length]()
                    line.mark()
        return line.timeline(first=False)

    layout = "channels_last" if channels_last else "channels_first"
    return Prepared(train, facts={"layout": layout})


def _first(images):
    return images.transpose(0, 3, 1, 2).copy() if images.ndim == 4 else images


def _mode(task, compile_):
    """The example's own step, eager or compiled, on batches that lie ready."""
    model = _model(task)
    optimizer = task.optimizer(model)
    used = torch.compile(model) if compile_ else model
    order = task.batches.order[: task.steps_per_epoch]
    images = [torch.from_numpy(_first(task.images(chosen))) for chosen in order]
    labels = [torch.from_numpy(task.labels(chosen)) for chosen in order]

    def train():
        line = _Line()
        for _ in range(task.epochs):
            for some, truth in zip(images, labels, strict=True):
                task.program.take_step(used, optimizer, some, truth)
                line.mark()
        return line.timeline()

    return Prepared(train)


def _eager(task):
    return _mode(task, compile_=False)


def _compiled(task):
    return _mode(task, compile_=True)


class _Line:
    """Collects a `Timeline`; the clock starts when it is made."""

    def __init__(self, first=None):
        self._first, self._done = first, 0
        self._marks = [(time.perf_counter(), 0)]

    def mark(self, steps=1):
        """So many more steps are done."""
        self._done += steps
        self._marks.append((time.perf_counter(), self._done))

    def timeline(self, first=True):
        """What was collected.

        Args:
            first: whether there is a first step to speak of. Where it was not timed by itself it
                is what the first mark ends.
        """
        if first and self._first is None:
            self._first = self._marks[1][0] - self._marks[0][0]
        return Timeline(self._first, self._marks)
