"""What the tool needs of PyTorch: `parity.training.recorder.Framework`, function by function."""

from collections import Counter

import numpy as np
import torch
import torchvision
from torch import nn

from parity.torch_side import named_weights
from parity.torch_side.fast_path import LONGEST, Steps
from parity.torch_side.program import Feed, Program


class PyTorch:
    """PyTorch on the CPU, deterministic."""

    side = "torch"

    def __init__(self, threads):
        self._names = named_weights.Names()
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True)
        # Would fill all new memory with NaN first, to show who reads it: a tenth of a step.
        torch.utils.deterministic.fill_uninitialized_memory = False
        torch.set_float32_matmul_precision("highest")

    def versions(self):
        """Framework versions for the header."""
        return {"torch": torch.__version__, "torchvision": torchvision.__version__}

    def environment(self):
        """Device, threads and precision switches for the header."""
        return {
            "device": "cpu",
            "threads": str(torch.get_num_threads()),
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "onednn": str(torch.backends.mkldnn.is_available()),
            "tf32_cudnn": str(torch.backends.cudnn.allow_tf32),
        }

    def use_precision(self, precision, seed):
        """Make `precision` the dtype of new tensors and modules."""
        torch.set_default_dtype(getattr(torch, precision))
        torch.manual_seed(seed)

    def use_names(self, training):
        """Know what its layers are called, and which dense kernels follow a flattened image."""
        self._names = named_weights.Names.of_training(training)

    def program(self, lesson, way, training):
        """A way of training a lesson."""
        return Program(lesson, way, training)

    def tensor(self, array):
        """An array as a tensor."""
        return torch.from_numpy(np.array(array))

    def array(self, tensor):
        """A tensor as an array."""
        return tensor.detach().cpu().numpy()

    def inputs(self, array):
        """A batch as PyTorch's models take it: channels first."""
        return self.tensor(named_weights.channels_first(array))

    def fed(self, tensor):
        """A batch in canonical layout: channels last."""
        return named_weights.channels_last(self.array(tensor))

    def load_weights(self, model, weights):
        """Set every weight."""
        named_weights.load(model, weights, self._names)

    def weights(self, model):
        """Copies of every weight by neutral name."""
        return {p.name: p.canonical(p.tensor) for p in named_weights.named(model, self._names)}

    def activations(self, model, images):
        """Output of every named leaf module, in the order of execution.

        A module that runs more than once, a ReLU that a block shares, is ``relu``, ``relu_2``, ….
        """
        outputs, times = {}, Counter()

        def keep(name):
            def hook(module, inputs, output):
                times[name] += 1
                own = name if times[name] == 1 else f"{name}_{times[name]}"
                outputs[own] = named_weights.canonical_output(module, inputs[0], output)

            return hook

        layers = self._names.of(model).items()
        hooks = [model.get_submodule(p).register_forward_hook(keep(n)) for p, n in layers]
        with torch.no_grad():
            model.train()(images)
        for hook in hooks:
            hook.remove()
        return outputs

    def gradients(self, model, gradients):
        """Gradients by neutral name; one that was not computed is left out.

        They are of all parameters, None for what is frozen, or of those that are trained.
        """
        every = named_weights.named(model, self._names)
        parameters = [p for p in every if isinstance(p.tensor, nn.Parameter)]
        if len(gradients) != len(parameters):
            parameters = self._trainable(model)
        return {
            p.name: p.canonical(gradient)
            for p, gradient in zip(parameters, gradients, strict=True)
            if gradient is not None
        }

    def slots(self, model, optimizer):
        """Optimizer state by neutral name and slot."""
        short = {"exp_avg": "m", "exp_avg_sq": "v", "momentum_buffer": "velocity"}
        return {
            f"{p.name}/{short[key]}": p.canonical(value)
            for p in self._trainable(model)
            for key, value in getattr(optimizer, "state", {}).get(p.tensor, {}).items()
            if key in short and value is not None
        }

    def _trainable(self, model):
        return [p for p in named_weights.named(model, self._names) if p.trainable]

    def train_fast(self, program, model, optimizer, batches, on_step, *, fast, pauses):
        """Take many steps without looking; see `fast_path`."""
        images, labels = self.tensor(batches.everything), self.tensor(batches.labels)
        switches = {"channels_last": fast.channels_last, "traced": fast.traced}
        steps = Steps(program.loss_and_gradients, model, optimizer, images, labels, **switches)
        for start, stop in batches.stretches(pauses, LONGEST):
            order = torch.from_numpy(np.stack(batches.order[start:stop]))
            masks = [self.tensor(mask) for mask in batches.masks(start, stop)]
            losses = self.array(steps(order, masks))
            for at, loss in enumerate(losses):
                given, truth = steps.batch(order[at])
                own = [self.array(mask[at]) for mask in masks]
                batches.fed(self.fed(given), self.array(truth), *own)
                on_step(start + at + 1, loss.item())

    def train(self, program, model, optimizer, batches, on_step):
        """Train with the lesson's own step."""

        def tensors():
            for images, labels, *masks in batches:
                batches.fed(images, labels, *masks)
                yield self.inputs(images), self.tensor(labels), *map(self.tensor, masks)

        images, labels = batches.validation
        validation = [(self.inputs(images), self.tensor(labels))] if len(labels) else []
        steps = batches.steps_per_epoch
        samples = sum(map(len, batches.order[:steps]))
        feed = Feed(tensors(), validation, batches.epochs, steps, samples)
        program.train(model, optimizer, feed, on_step)
