"""Models that run, but not under a tracer: and the same, written so that they can be seen."""

import threading

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.checkpoint import checkpoint


class Plain(nn.Module):
    """Two layers with a norm, an activation and a residual between them."""

    def __init__(self, act="relu", epsilon=1e-5, factor=2.0, bias=True):
        super().__init__()
        self.act, self.factor = act, factor
        self.first, self.norm = nn.Linear(8, 16), nn.LayerNorm(16, epsilon)
        self.second, self.head = nn.Linear(16, 16, bias=bias), nn.Linear(16, 4)

    def forward(self, x):
        """The whole."""
        h = self.norm(self.between(self.first(x)))
        return self.head(h + self.between(self.second(h)))

    def between(self, h):
        """What is not seen elsewhere."""
        return getattr(torch, self.act)(h) * self.factor


class Ragged(Plain):
    """Rows of unlike length, which have no shape."""

    def between(self, h):
        """The same, on nested tensors."""
        parts = torch.nested.as_nested_tensor([h[:2], h[2:]])
        whole = getattr(torch, self.act)(parts) * self.factor
        return torch.cat(list(whole.unbind()))


class Untouchable(Plain):
    """Does not run where somebody listens."""

    def between(self, h):
        """The same."""
        assert not torch._C._is_torch_function_mode_enabled(), "listened to"
        return super().between(h)


class Through(Plain):
    """Takes its numbers through NumPy, so that there is no gradient, either."""

    def between(self, h):
        """The same, by another library."""
        return torch.from_numpy(super().between(h.detach()).numpy())


class Detached(Plain):
    """The same without a gradient, for all to see."""

    def between(self, h):
        """The same."""
        return super().between(h).detach()


class Dropping(Untouchable):
    """Drops between layers, by a function."""

    def __init__(self, rate=0.5, always=False):
        super().__init__()
        self.rate, self.always = rate, always

    def between(self, h):
        """The same, and dropout."""
        return F.dropout(super().between(h), self.rate, self.training or self.always)


class Embedded(nn.Module):
    """Words and their places, which nobody sees being counted."""

    def __init__(self, seen=True, shift=0):
        super().__init__()
        self.words, self.places = nn.Embedding(20, 8), nn.Embedding(12, 8)
        self.head, self.seen, self.shift = nn.Linear(8, 3), seen, shift

    def forward(self, x):
        """Words and places."""
        if not self.seen:
            assert not torch._C._is_torch_function_mode_enabled(), "listened to"
        places = torch.arange(x.shape[1]) + self.shift
        return self.head(torch.tanh(self.words(x) + self.places(places)))


class Broken(nn.Module):
    """Does not run at all."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 16)

    def forward(self, x):
        """Layers that do not fit."""
        return self.first(self.first(x))


class Branching(nn.Module):
    """Control flow by PyTorch's operators, and a compiled function."""

    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(8, 16), nn.Linear(16, 4)

    def forward(self, x):
        """A branch, a loop, a compiled function."""
        h = self.first(x)
        h = torch.cond(h.abs().sum() >= 0, torch.relu, torch.tanh, (h,))
        start = torch.tensor(0)
        _, h = torch.while_loop(_go_on, _again, (start, h))
        return self.head(torch.compile(_scaled, backend="eager")(h))


def _go_on(count, h):
    return count < 2


def _again(count, h):
    return count + 1, torch.sigmoid(h)


def _scaled(h):
    return h * 3


class Stepped(Branching):
    """The same in Python."""

    def forward(self, x):
        """Relu, sigmoid twice, three times."""
        h = torch.sigmoid(torch.sigmoid(torch.relu(self.first(x))))
        return self.head(h * 3)


class Hooked(Plain):
    """Doubles a gradient on the way back, by a hook on a tensor."""

    def between(self, h):
        """The same forwards."""
        if h.requires_grad:
            h.register_hook(lambda slope: slope * 2)
        return super().between(h)


class Threaded(Plain):
    """Computes rows in threads of their own."""

    def between(self, h):
        """The same."""
        rows = [None] * len(h)

        def one(k):
            rows[k] = super(Threaded, self).between(h[k])

        threads = [threading.Thread(target=one, args=(k,)) for k in range(len(h))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return torch.stack(rows)


class Images(nn.Module):
    """A convolution, a norm and a dense layer, and a flatten between them that nobody sees."""

    def __init__(self, seen=False, act="relu"):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.head, self.seen, self.act = nn.Linear(100, 5), seen, act

    def forward(self, x):
        """Convolved, normalised, flattened."""
        h = self.norm(self.conv(x))
        if not self.seen:
            assert not torch._C._is_torch_function_mode_enabled(), "listened to"
        return self.head(getattr(torch, self.act)(h).flatten(1))


class Single(nn.Module):
    """Two layers and an activation, which lets no gradient back."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.first, self.head, self.factor = nn.Linear(8, 16), nn.Linear(16, 4), factor

    def forward(self, x):
        """One after the other."""
        h = torch.relu(self.first(x)).detach()
        return self.head(h if self.factor == 1.0 else h * self.factor)


class Copied(Plain):
    """What a layer gives goes on as other tensors of the same numbers, or of others."""

    def forward(self, x):
        """Two layers and the norm; nothing but copies between them."""
        return self.head(self.copy(self.second(self.copy(self.norm(self.first(x))))))

    def copy(self, h):
        """Row by row, as a nested tensor."""
        parts = torch.nested.as_nested_tensor([h[:2], h[2:]])
        return torch.cat([part + 0 for part in parts.unbind()])


class Listed(Plain):
    """Takes its numbers through a list."""

    def between(self, h):
        """The same."""
        return torch.tensor(super().between(h).tolist(), dtype=h.dtype)


class Gated(nn.Module):
    """One number that a layer gives scales what another gives, out of its tensor or in it."""

    def __init__(self, out=True):
        super().__init__()
        self.gate, self.first, self.head = nn.Linear(8, 1), nn.Linear(8, 1), nn.Linear(1, 4)
        self.out = out

    def forward(self, x):
        """Scaled."""
        k = torch.sigmoid(self.gate(x)).mean()
        return self.head(torch.relu(self.first(x)) * (k.item() if self.out else k.detach()))


class Checkpointed(Plain):
    """Computes again on the way back, by PyTorch's older way."""

    def between(self, h):
        """The same."""
        return checkpoint(super().between, h, use_reentrant=True)


class Quantised(Plain):
    """Whole numbers of eight bits on the way."""

    def between(self, h):
        """Rounded to tenths."""
        whole = torch.quantize_per_tensor(h.float(), 0.1, 0, torch.qint8)
        return super().between(whole.dequantize().to(h.dtype))


class Writing(Plain):
    """Writes into its own weight before it is used."""

    def forward(self, x):
        """The whole, by a weight that is changed first."""
        with torch.no_grad():
            self.head.weight.mul_(0.5)
        return super().forward(x)


class Within(Single):
    """A layer that is fed rows of unlike length."""

    def forward(self, x):
        """The same."""
        h = torch.relu(self.first(torch.nested.as_nested_tensor([x[:2], x[2:]])))
        return self.head(torch.cat(list(h.unbind())).detach())
