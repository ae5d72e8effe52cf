"""Where tensors are: devices, moving between them, and what an accelerator rounds away.

Twin: keras_impl/devices.py
Look at: `placement`, where a tensor stays where it was made and you move it (there, each operation
is placed for you); `two_devices`, where tensors of two devices are an error here and are copied
there; and `reduced_precision`, the switch for TF32.
Every program below runs without an accelerator. `meta` is a device that keeps shapes and no
numbers: it shows here what happens between two devices.
Seen in notes, wrong because: `model.to(device)` moves the model itself, but `batch.to(device)`
returns another tensor: without `batch = …` nothing has moved.
"""

import torch
from torch import nn

from shared.plots import Plots


def best_device():
    """The accelerator, where there is one, or else the CPU."""
    if torch.accelerator.is_available():
        return torch.accelerator.current_accelerator()
    return torch.device("cpu")


def placement(x):
    """`.device` says where a tensor is, `.to` makes a copy elsewhere; a result stays there."""
    moved = x.to(best_device())
    return {
        "made_on": x.device.type,
        "same_if_already_there": x.to("cpu") is x,
        "result_where_its_inputs_are": (2 * moved).device == moved.device,
        "doubled": (2 * moved).cpu(),
        "name": str(x.device),
    }


def two_devices(x):
    """Tensors of two devices never meet; a number, or a tensor without axes on the CPU, may."""
    elsewhere = x.to("meta")
    try:
        x + elsewhere
        outcome = "moved for you"
    except RuntimeError as error:
        outcome = type(error).__name__
    return {
        "adding": outcome,
        "shape_elsewhere": tuple(elsewhere.shape),
        "number_and_tensor": str((elsewhere * 2).device) == "meta",
        "sum": x + x.to("cpu"),
    }


def model_and_batch(x, kernel):
    """A model and its batch must be moved both: the model in place, the batch as a copy."""
    model = nn.Linear(3, 2, bias=False)
    model.load_state_dict({"weight": kernel})
    away = nn.Linear(3, 2, device="meta")
    try:
        away(x)
        forgotten = "moved for you"
    except RuntimeError as error:
        forgotten = type(error).__name__
    device = best_device()
    before = model.weight
    model.to(device)
    y = model(x.to(device))
    return {
        "y": y.cpu(),
        "same_model": before is model.weight,
        "forgotten": forgotten,
        "on_one_device": y.device == model.weight.device,
    }


def back_to_numpy(x):
    """NumPy lives on the CPU: first without gradient, then home, then an array."""
    weight = x.requires_grad_()
    result = (2 * weight).to(best_device())
    try:
        result.numpy()
        outcome = "converted"
    except (RuntimeError, TypeError) as error:
        outcome = type(error).__name__
    return {"straight": outcome, "array": torch.from_numpy(result.detach().cpu().numpy())}


def as_tf32(x):
    """What a tensor core reads of float32 in TF32: 10 bits of 23 behind the point.

    Rounded to nearest, ties to even, by the bits of the number.
    """
    bits = x.float().contiguous().view(torch.int32)
    bits = bits + 0xFFF + ((bits >> 13) & 1)
    return ((bits >> 13) << 13).view(torch.float32)


def reduced_precision(a, b):
    """TF32 rounds the factors of a product; here that is off unless you ask, there it is on.

    Off: `torch.set_float32_matmul_precision("highest")`, as it begins, for products of matrices,
    and `torch.backends.cudnn.allow_tf32 = False` for convolutions, where it begins as True.
    On the CPU neither changes anything.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    switched = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    rounded = as_tf32(a).to(a.dtype) @ as_tf32(b).to(a.dtype)
    torch.set_float32_matmul_precision(before)
    return {"exact": a @ b, "tf32": rounded, "on_by_itself": before != "highest", "word": switched}


def on_accelerator(size):
    """Both precisions on the accelerator itself: the largest difference from float64, or None."""
    device = best_device()
    if device.type == "cpu":
        return None
    torch.manual_seed(0)
    a, b = torch.rand(2, size, size, dtype=torch.float64)
    true, before = a @ b, torch.get_float32_matmul_precision()
    errors = {}
    for precision in ("highest", "high"):
        torch.set_float32_matmul_precision(precision)
        product = a.float().to(device) @ b.float().to(device)
        errors[precision] = (product.cpu().double() - true).abs().max().item()
    torch.set_float32_matmul_precision(before)
    return errors


def main():
    """Look for a device, move things there and back, and let two devices meet."""
    plots = Plots(__file__)
    device = best_device()
    print(f"working on {device}; accelerators: {torch.accelerator.device_count()}")
    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    print("made on:", placement(x)["name"])
    met = two_devices(x)
    print(f"a tensor here + one elsewhere: {met['adding']}")
    moved = model_and_batch(x, torch.tensor([[1.0, 0.0, 1.0], [0.5, 0.5, 0.0]]))
    y = moved["y"].tolist()
    print(f"a model here, a batch elsewhere: {moved['forgotten']}; both moved: {y}")
    print("a result with gradients, straight to NumPy:", back_to_numpy(x)["straight"])

    third = torch.full((1, 3), 1 / 3)
    found = reduced_precision(third, third.T)
    print(f"(1/3)² · 3 in float32 {found['exact'].item():.7f}, in TF32 {found['tf32'].item():.7f}")
    measured = on_accelerator(1024)
    print("on the accelerator:", measured or "not measured, there is none")

    torch.manual_seed(0)
    sizes = [2**power for power in range(2, 11)]
    errors = {"float32": [], "TF32": []}
    for size in sizes:
        a, b = torch.rand(1, size), torch.rand(size, 1)
        true = (a.double() @ b.double()).item()
        found = reduced_precision(a, b)
        errors["float32"].append(abs(found["exact"].item() - true) / true)
        errors["TF32"].append(abs(found["tf32"].item() - true) / true)
    print("relative error of a sum of 1,024 products:", end=" ")
    print({name: f"{values[-1]:.1e}" for name, values in errors.items()})

    def draw(figure):
        axes = figure.subplots()
        for name, values in errors.items():
            axes.loglog(sizes, values, "o", label=name)
        axes.set(xlabel="products in the sum", ylabel="relative error")
        axes.legend()

    plots.draw("precision", draw)


if __name__ == "__main__":
    main()
