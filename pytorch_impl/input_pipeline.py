"""From bytes to batches with `Dataset`, `DataLoader` and `torchvision.transforms`.

Twin: keras_impl/input_pipeline.py
Look at: `_Images`, one sample at a time through `transforms` here and a `map` over a stream there;
`full_shuffle`, where a `sampler` says what comes when; and `resize`, whose defaults differ. A
dataset with a length is shuffled whole; to shuffle by a buffer one writes an `IterableDataset`.
Resizing is to the nearest pixel in the batches: weighted means would agree to rounding only.
Given are `images`, bytes ``(n, 28, 28)``; 0.286 and 0.353 are mean and deviation of the pixels
of Fashion-MNIST's 60,000 training images, in 0…1.
Seen in notes, wrong because: `for i, data in loader` without `enumerate` unpacks the batch itself:
`i` is then its images. And a loop variable `x` in a program whose whole set is `x`: after the loop
the set is one batch.
"""

import itertools
import zlib

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, SubsetRandomSampler
from torchvision.transforms import ToTensor, v2

from shared.data import load
from shared.plots import Plots

NEAREST = v2.InterpolationMode.NEAREST_EXACT
BATCH = 32
BUFFER = 10


def _prepare():
    """Bytes to 0…1, to 64×64, to mean 0 and deviation 1."""
    return v2.Compose(
        [
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Resize((64, 64), interpolation=NEAREST),
            v2.Normalize(mean=[0.286], std=[0.353]),
        ]
    )


class _Images(Dataset):
    """Sample by number: `(1, 64, 64)` and its label."""

    def __init__(self, images, labels):
        self.images, self.labels = images, labels
        self.transform = _prepare()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.transform(self.images[i]), self.labels[i]


class _Buffered(IterableDataset):
    """A stream through a buffer: `slots` says which of the waiting samples goes next."""

    def __init__(self, samples, slots):
        self.samples, self.slots = samples, slots

    def __iter__(self):
        buffer, rest = [], iter(self.samples)
        for slot in self.slots:
            buffer.extend(itertools.islice(rest, BUFFER - len(buffer)))
            buffer[slot], buffer[-1] = buffer[-1], buffer[slot]
            yield buffer.pop()


def _delivered(loader):
    """Size and checksum of every batch, images channels last."""
    sizes, checksums = [], []
    for images, labels in loader:
        exact = images.permute(0, 2, 3, 1).contiguous().numpy().tobytes()
        checksums.append(zlib.crc32(labels.numpy().tobytes(), zlib.crc32(exact)))
        sizes.append(len(labels))
    return {"sizes": tuple(sizes), "checksums": " ".join(f"{c:08x}" for c in checksums)}


def _prefixed(prefix, found):
    return {f"{prefix}_{name}": value for name, value in found.items()}


def to_tensor(images, labels, mean, deviation):
    """`ToDtype` multiplies by 1/255 and `ToTensor` divides by 255; neither scales floats."""
    scale = v2.Compose([v2.ToImage(), v2.ToDtype(mean.dtype, scale=True)])
    unit = torch.stack([scale(image) for image in images])
    divided = torch.stack([ToTensor()(image[..., None]) for image in images])
    normalise = v2.Normalize([mean.item()], [deviation.item()])
    levels = torch.arange(256, dtype=torch.uint8)
    scaled = v2.functional.to_dtype(levels[None, None], torch.float32, scale=True).flatten()
    again = v2.functional.to_dtype(unit, mean.dtype, scale=True)
    return {
        "unit": unit,
        "divided": divided,
        "normalised": normalise(unit),
        "apart_in_float32": int((scaled != levels.to(torch.float32) / 255).sum()),
        "floats_are_scaled": not torch.equal(again, unit),
        "dtype": str(scaled.dtype).removeprefix("torch."),
    }


def resize(x):
    """Centres of pixels on both sides; `Resize` antialiases, and `NEAREST` is of the corners."""
    smaller, bilinear = (6, 4), v2.Resize((24, 64))
    thirds = x.double() / 3
    precise = not torch.equal(bilinear(thirds), bilinear(thirds).float().double())
    corner = v2.InterpolationMode.NEAREST
    return {
        "larger": bilinear(x),
        "smaller": v2.Resize(smaller, antialias=False)(x),
        "antialiased_inside": v2.Resize(smaller, antialias=True)(x)[:, :, 1:-1, 1:-1],
        "nearest_larger": v2.Resize((17, 23), interpolation=NEAREST)(x),
        "nearest_smaller": v2.Resize((7, 5), interpolation=NEAREST)(x),
        "smaller_default": v2.Resize(smaller)(x),
        "plain_nearest": v2.Resize((7, 5), interpolation=corner)(x),
        "float64_computed_in": "float64" if precise else "float32",
    }


def batches(images, labels):
    """The last batch is short, or dropped by `drop_last`."""
    dataset = _Images(images, labels)
    loader = DataLoader(dataset, batch_size=BATCH)
    whole = DataLoader(dataset, batch_size=BATCH, drop_last=True)
    first, first_labels = next(iter(loader))
    dtypes = [str(t.dtype).removeprefix("torch.") for t in (first, first_labels)]
    return {
        **_delivered(loader),
        **_prefixed("dropped", _delivered(whole)),
        "steps": len(loader),
        "steps_dropped": len(whole),
        "shape": tuple(first.shape),
        "dtypes": ", ".join(dtypes),
        "first_labels": first_labels,
    }


def full_shuffle(images, labels, order):
    """Any order, by a sampler: here one drawn in NumPy."""
    loader = DataLoader(_Images(images, labels), batch_size=BATCH, sampler=order.tolist())
    return _delivered(loader)


def buffered_shuffle(images, labels, slots):
    """A stream of unknown length can only be shuffled by a buffer: nothing comes much too early."""
    stream = _Buffered(_Images(images, labels), slots.tolist())
    order = list(_Buffered(range(len(labels)), slots.tolist()))
    earliest = max(i - at for at, i in enumerate(order))
    return {**_delivered(DataLoader(stream, batch_size=BATCH)), "earliest": earliest}


def native_shuffle(images, labels):
    """PyTorch's own order: another one each epoch, the same again from the same seed."""
    numbers = list(range(len(labels)))

    def loader(seed):
        random = torch.Generator().manual_seed(seed)
        return DataLoader(numbers, batch_size=None, shuffle=True, generator=random)

    shuffled = loader(3)
    order, next_order, same = list(shuffled), list(shuffled), list(loader(3))
    left = [min(BUFFER, len(numbers) - i) for i in numbers]
    slots = [int(torch.randint(n, ())) for n in left]
    buffered = list(_Buffered(numbers, slots))
    return {
        "every_sample_once": sorted(order) == numbers,
        "same_seed_same_order": same == order,
        "next_epoch_same_order": next_order == order,
        "buffer_every_sample_once": sorted(buffered) == numbers,
        "buffer_never_too_early": all(i - at < BUFFER for at, i in enumerate(buffered)),
        "first_five": tuple(order[:5]),
    }


def subset(images, labels, chosen):
    """Some samples by number, every third one, and some in random order."""
    dataset = _Images(images, labels)
    some = DataLoader(Subset(dataset, chosen.tolist()), batch_size=BATCH)
    third = DataLoader(Subset(dataset, range(1, len(dataset), 3)), batch_size=BATCH)
    shuffled = list(SubsetRandomSampler(chosen.tolist()))
    return {
        **_delivered(some),
        **_prefixed("third", _delivered(third)),
        "shuffled_same_samples": sorted(shuffled) == sorted(chosen.tolist()),
    }


def workers(images, labels, order):
    """Two processes prepare batches ahead; they come in order all the same, epoch after epoch.

    `forkserver`: forking a process that has threads may hang, so they fork from a fresh one.
    """
    fresh = torch.multiprocessing.get_context("forkserver")
    fresh.set_forkserver_preload([__name__])
    loader = DataLoader(
        _Images(images, labels),
        batch_size=BATCH,
        sampler=order.tolist(),
        num_workers=2,
        prefetch_factor=2,
        persistent_workers=True,
        multiprocessing_context=fresh,
    )
    return {**_delivered(loader), **_prefixed("again", _delivered(loader))}


def draw_orders(figure, images, labels):
    """When each sample comes: as it lies, through a buffer, shuffled whole."""
    numbers = list(range(len(labels)))
    slots = [int(torch.randint(min(BUFFER, len(numbers) - i), ())) for i in numbers]
    orders = {
        "as it lies": numbers,
        f"a buffer of {BUFFER}": list(_Buffered(numbers, slots)),
        "shuffled whole": torch.randperm(len(numbers)).tolist(),
    }
    for axes, (name, order) in zip(figure.subplots(1, 3), orders.items(), strict=True):
        axes.plot(order, ".")
        axes.set(title=name, xlabel="comes at", ylabel="sample")


def main():
    """One sample, a batch, three orders, and what a loader says of itself."""
    plots = Plots(__file__)
    torch.manual_seed(0)
    data = load("fashion_mnist", "available")
    images, labels = data.train_images[:100], data.train_labels[:100]
    mean, deviation = torch.tensor(0.286), torch.tensor(0.353)
    unit = to_tensor(images[:3], labels[:3], mean, deviation)
    print(f"bytes {images.shape} become {unit['dtype']} {tuple(unit['unit'].shape)},", end=" ")
    print(f"{unit['unit'].min():.1f} to {unit['unit'].max():.1f};", end=" ")
    print(f"normalised {unit['normalised'].min():.2f} to {unit['normalised'].max():.2f}")

    dataset = _Images(images, labels)
    loader = DataLoader(dataset, batch_size=BATCH)
    image, label = dataset[0]
    print(f"dataset: {len(dataset)} samples; the first {tuple(image.shape)}, label {label}")
    print(f"loader: {len(loader)} batches of {loader.batch_size}, {loader.num_workers} workers")
    for i, (batch, truth) in enumerate(loader):
        print(f"  batch {i}: {tuple(batch.shape)}, labels {truth[:5].tolist()} …")
    print("drop_last leaves", batches(images, labels)["dropped_sizes"])

    shuffled = native_shuffle(images, labels)
    print("shuffled whole, the first five:", shuffled["first_five"])
    print("same seed, same order:", shuffled["same_seed_same_order"], end="; ")
    print("next epoch, same order:", shuffled["next_epoch_same_order"])
    slots = torch.tensor([min(BUFFER, 100 - i) - 1 for i in range(100)])
    early = buffered_shuffle(images, labels, slots)["earliest"]
    print(f"through a buffer of {BUFFER}, nothing comes more than {early} places early")
    order = torch.randperm(100)
    alone = full_shuffle(images, labels, order)["checksums"]
    print(
        "two workers bring the same batches:", workers(images, labels, order)["checksums"] == alone
    )

    x = torch.from_numpy(data.train_images[:1, None]).float()
    resized = {
        "28×28": x,
        "Resize(12)": v2.Resize((12, 12))(x),
        "antialias=False": v2.Resize((12, 12), antialias=False)(x),
        "nearest": v2.Resize((12, 12), interpolation=v2.InterpolationMode.NEAREST)(x),
        "nearest-exact": v2.Resize((12, 12), interpolation=NEAREST)(x),
    }
    for name, value in resized.items():
        row = [round(level, 1) for level in value[0, 0, 6, 5:8].tolist()]
        print(f"  {name:15} {tuple(value.shape)}, of one row: {row}")

    def draw(figure):
        for axes, (name, value) in zip(figure.subplots(1, 5), resized.items(), strict=True):
            axes.imshow(value[0, 0], cmap="gray")
            axes.set_title(name, fontsize=8)
            axes.axis("off")

    plots.draw("resized", draw)
    plots.draw("orders", lambda figure: draw_orders(figure, images, labels))


if __name__ == "__main__":
    main()
