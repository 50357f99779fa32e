"""The tutorial's net in PyTorch on CUDA: milliseconds for a training step with the data on the card, eager and as a CUDA graph.

Usage: pytorch_cuda.py [--batch-size 64 256 1024] [--rounds 5]

A round is an epoch of 60,000 images in a new order; the median of the rounds is printed, with the least and the most. RMSprop is that
of Keras (alpha 0.9, epsilon 1e-7). Images are random bytes: the time does not depend on them.
"""

import argparse
import statistics
import time

import torch
from torch import nn

SAMPLES = 60_000


class Training:
    """One model, its data and its step."""

    def __init__(self, batch):
        self.batch = batch
        self.images = torch.randint(0, 256, (SAMPLES, 1, 28, 28), dtype=torch.uint8, device="cuda")
        self.labels = torch.randint(0, 10, (SAMPLES,), device="cuda")
        layers = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(13 * 13 * 32, 64), nn.ReLU(), nn.Linear(64, 10)]
        self.model = nn.Sequential(*layers).cuda()
        self.loss = nn.CrossEntropyLoss()
        parameters = self.model.parameters()
        self.optimizer = torch.optim.RMSprop(parameters, lr=1e-3, alpha=0.9, eps=1e-7, foreach=True, capturable=True)
        # The numbers of the samples of a batch: a graph reads them from one place.
        self.numbers = torch.arange(batch, device="cuda")

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        pixels = self.images[self.numbers].float().div_(255)
        self.loss(self.model(pixels), self.labels[self.numbers]).backward()
        self.optimizer.step()

    def warm(self):
        """Some steps on a stream of their own, as capturing asks for."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(10):
                self.step()
        torch.cuda.current_stream().wait_stream(stream)

    def captured(self):
        """The step as a graph."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.step()
        return graph.replay


def epoch(training, step):
    """Milliseconds a step."""
    order = torch.randperm(SAMPLES, device="cuda")
    steps = SAMPLES // training.batch
    torch.cuda.synchronize()
    begun = time.perf_counter()
    for number in range(steps):
        training.numbers.copy_(order[number * training.batch :][: training.batch])
        step()
    torch.cuda.synchronize()
    return 1e3 * (time.perf_counter() - begun) / steps


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-size", type=int, nargs="+", default=[64, 256, 1024])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}")
    for batch in args.batch_size:
        for mode in ("eager", "graph"):
            training = Training(batch)
            training.warm()
            step = training.captured() if mode == "graph" else training.step
            times = [epoch(training, step) for _ in range(args.rounds)]
            print(f"batch {batch}, {mode}: {statistics.median(times):.4f} ms a step ({min(times):.4f} to {max(times):.4f})")


if __name__ == "__main__":
    main()
