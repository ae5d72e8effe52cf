"""The user's own loss and optimizer in PyTorch."""

import contextlib
import copy
import functools
import inspect

import torch
from torch import nn
from torch.nn.utils import clip_grad

from parity.checker.graph import training_recipe
from parity.checker.graph.target import guarded
from parity.core.errors import ParityError

_MODELS = ("model", "net", "network", "module")
_NAMES = {
    "CrossEntropyLoss": ("cross_entropy", "logits"),
    "cross_entropy": ("cross_entropy", "logits"),
    "NLLLoss": ("cross_entropy", "log_probabilities"),
    "nll_loss": ("cross_entropy", "log_probabilities"),
    "BCELoss": ("binary_cross_entropy", "probabilities"),
    "binary_cross_entropy": ("binary_cross_entropy", "probabilities"),
    "BCEWithLogitsLoss": ("binary_cross_entropy", "logits"),
    "binary_cross_entropy_with_logits": ("binary_cross_entropy", "logits"),
    "MSELoss": ("squared", "values"),
    "mse_loss": ("squared", "values"),
    "L1Loss": ("absolute", "values"),
    "l1_loss": ("absolute", "values"),
    "HuberLoss": ("huber", "values"),
    "huber_loss": ("huber", "values"),
    "SmoothL1Loss": ("smooth_l1", "values"),
    "smooth_l1_loss": ("smooth_l1", "values"),
    "KLDivLoss": ("kl", "log_probabilities"),
    "kl_div": ("kl", "log_probabilities"),
    "PoissonNLLLoss": ("poisson", "logits"),
    "poisson_nll_loss": ("poisson", "logits"),
}
_RULES = {
    "SGD": "sgd",
    "Adam": "adam",
    "AdamW": "adam",
    "RMSprop": "rmsprop",
    "Adagrad": "adagrad",
    "Adadelta": "adadelta",
    "Adamax": "adamax",
    "NAdam": "nadam",
}


class Learning:
    """A loss and an optimizer, made anew for every run.

    Args:
        loss, optimizer: see `parity.checker.graph.model_interface.Model.learn`.
    """

    def __init__(self, loss, optimizer):
        self.function, self._optimizer = None, optimizer
        if loss is not None:
            with guarded(f"making the loss {training_recipe.title(loss)}"):
                found, arguments = training_recipe.resolve(loss)
                arguments = {k: _listed(v) for k, v in arguments.items()}
                self.function = training_recipe.loss_function(found, arguments, (nn.Module,))

    @property
    def steps(self):
        """Whether there is an optimizer."""
        return self._optimizer is not None

    def loss(self, returned, outputs, targets, precision):
        """The loss of what a model returned."""
        function = self.function
        if isinstance(function, nn.Module):
            function = copy.deepcopy(function).to(getattr(torch, precision))
        elif isinstance(function, functools.partial):
            words = {
                k: v.to(getattr(torch, precision)) if _floating(v) else v
                for k, v in function.keywords.items()
            }
            function = functools.partial(function.func, *function.args, **words)
        given = outputs[0] if len(outputs) == 1 else returned
        whole = targets[0] if len(targets) == 1 else targets
        rest = [whole] if targets else []
        with guarded("computing the loss"):
            try:
                value = function(given, *rest)
            except (RuntimeError, TypeError, ValueError):
                # Some losses want floats where others want whole numbers of the same kind.
                floats = [
                    t if t.is_floating_point() else t.to(getattr(torch, precision)) for t in targets
                ]
                if not floats or all(a is b for a, b in zip(floats, targets, strict=True)):
                    raise
                try:
                    value = function(given, floats[0] if len(floats) == 1 else floats)
                except Exception:
                    value = None
                if value is None:
                    raise
        if not isinstance(value, torch.Tensor) or value.numel() != 1:
            shape = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
            raise ParityError(
                f"The loss gives {shape}. Expected one number: a reduction of mean or sum."
            )
        return value.reshape(())

    def optimizer(self, model):
        """A new optimizer of a model's parameters."""
        wish = self._optimizer
        with guarded(f"making the optimizer {training_recipe.title(wish)}"):
            if isinstance(wish, torch.optim.Optimizer):
                return _again(wish, model)
            found, arguments = training_recipe.resolve(wish)
            if not callable(found):
                raise ParityError(
                    f"{training_recipe.title(wish)} is a {type(found).__name__}. Expected a class "
                    "of torch.optim, or a function that takes the model's parameters."
                )
            return _made(found, arguments, model, training_recipe.title(wish))

    def loss_settings(self):
        """In the words of `parity.reference.losses`; of torch.nn's own losses alone."""
        function = self.function
        if function is None:
            return {}
        if isinstance(function, nn.Module):
            name, held = type(function).__name__, vars(function) | dict(function.named_buffers())
            known = type(function).__module__.startswith("torch.nn")
        else:
            base = function.func if isinstance(function, functools.partial) else function
            held = dict(getattr(function, "keywords", {}))
            name = getattr(base, "__name__", type(base).__name__)
            known = base is getattr(nn.functional, name, None)
        if not known or name not in _NAMES:
            return {"name": "custom", "title": name, "axis": 1}
        kind, takes = _NAMES[name]
        settings = {
            "name": kind,
            "takes": takes,
            "title": name,
            "axis": 1,
            "reduction": held.get("reduction", "mean"),
        }
        if kind == "cross_entropy":
            ignored = held.get("ignore_index", -100)
            settings |= {
                "smoothing": held.get("label_smoothing", 0.0),
                "ignore": None if ignored == -100 else ignored,
            }
        settings["delta"] = held.get("delta", held.get("beta", 1.0))
        for key in ("weight", "pos_weight"):
            if held.get(key) is not None:
                settings[key] = torch.as_tensor(held[key]).tolist()
        return settings


@contextlib.contextmanager
def plain_clipping():
    """While this lasts `torch.nn.utils.clip_grad_norm_` adds nothing to the norm.

    It adds 1e-6, Keras nothing. In float32 no weight shows it, and in float64 every right port that
    clips would differ.
    """
    scale = clip_grad._clip_grads_with_norm_

    def plain(parameters, max_norm, total_norm, foreach=None):
        return scale(parameters, max_norm, total_norm - 1e-6, foreach)

    clip_grad._clip_grads_with_norm_ = plain
    try:
        yield
    finally:
        clip_grad._clip_grads_with_norm_ = scale


def settings_of(optimizer, parameters):
    """Name of a parameter → settings in the words of `parity.diagnosis.optimizer_settings`."""
    groups = {id(p): g for g in optimizer.param_groups for p in g["params"]}
    return {
        name: _settings(optimizer, groups.get(id(p)))
        for name, p in parameters.items()
        if p.requires_grad
    }


def _settings(optimizer, group):
    title = type(optimizer).__name__
    if group is None:
        return {"rule": "none", "title": title}
    # A class of the user's own begins with what it is derived from; its steps decide.
    known = [c.__name__ for c in type(optimizer).__mro__ if c.__module__.startswith("torch.optim")]
    base = next((name for name in known if name in _RULES), "")
    rule = _RULES.get(base, "custom") if not group.get("maximize") else "custom"
    betas = group.get("betas", (0.9, 0.999))
    decoupled = group.get("decoupled_weight_decay", base == "AdamW")
    found = {
        "rule": rule,
        "title": title,
        "numbers": [v for v in vars(optimizer).values() if isinstance(v, float)],
        "equation": "torch" if rule != "adadelta" else "",
        "rate": float(group.get("lr", 0.0)),
        "momentum": group.get("momentum", 0.0),
        "nesterov": bool(group.get("nesterov", False)),
        "dampening": group.get("dampening", 0.0),
        "epsilon": group.get("eps", 0.0),
        "amsgrad": bool(group.get("amsgrad", False)),
        "centered": bool(group.get("centered")),
        "rho": group.get("alpha", group.get("rho", 0.9)),
        "start": group.get("initial_accumulator_value", 0.0),
        "rate_decay": group.get("lr_decay", 0.0),
        "weight_decay" if decoupled else "l2": group.get("weight_decay", 0.0),
    }
    if rule in ("adam", "adamax", "nadam", "custom"):
        found |= {"beta_1": float(betas[0]), "beta_2": float(betas[1])}
    if rule == "sgd" and not found["momentum"]:
        found |= {"equation": "", "dampening": 0.0, "nesterov": False}
    if rule == "sgd" and not found["dampening"]:
        found["equation"] = ""  # one equation, written in two ways
    return found


def _made(found, arguments, model, title):
    parameters = [p for p in model.parameters() if p.requires_grad]
    if inspect.isclass(found) and issubclass(found, torch.optim.Optimizer):
        return found(parameters, **arguments)
    needed = training_recipe.required(found, arguments) or ["parameters"]
    wants = needed[0].lower() in _MODELS
    try:
        made = found(model if wants else parameters, **arguments)
    except AttributeError:
        if wants:
            raise
        made = found(model, **arguments)  # it asked a list for its parameters
    if not isinstance(made, torch.optim.Optimizer):
        raise ParityError(
            f"{title} gives a {type(made).__name__}. Expected a torch.optim.Optimizer; a schedule "
            "is not followed."
        )
    return made


def _again(optimizer, model):
    """An optimizer that exists already, for a model or a copy of it, by the parameters' order."""
    names = {}
    for candidate in (model, getattr(optimizer, "_checked_model", None)):
        if candidate is not None:
            names |= {id(p): n for n, p in candidate.named_parameters()}
    own = dict(model.named_parameters())
    groups = []
    for group in optimizer.param_groups:
        if any(id(p) not in names for p in group["params"]):
            raise ParityError(
                "The optimizer holds parameters that are not the model's. Give the function or "
                "class that makes it."
            )
        kept = {k: v for k, v in group.items() if k != "params"}
        groups.append(kept | {"params": [own[names[id(p)]] for p in group["params"]]})
    return type(optimizer)(groups)


def _floating(value):
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _listed(value):
    """JSON has no tensors: a list of numbers is one."""
    if isinstance(value, list) and value and all(isinstance(x, (int, float)) for x in value):
        return torch.tensor(value, dtype=torch.float32)
    return value
