"""The tutorial in PyTorch, eager: data as tensors in memory, batches by index, no loader in between."""

import time

import torch
from torch import nn

import peer

# Channels last is what its own guide advises for convolutions on processors.
LAYOUT = torch.channels_last


def tutorial():
    """With the initial weights of Keras: Glorot uniform, biases zero. The loss takes logits."""
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 13 * 13, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    for layer in model:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def main():
    args = peer.arguments(__doc__).parse_args()

    def data(stem):
        images, labels = peer.load(args.data, stem)
        pixels = torch.tensor(images).reshape(-1, 1, 28, 28).float() / 255
        return pixels.to(memory_format=LAYOUT), torch.tensor(labels).long()

    (images, labels), (test_images, test_labels) = data("train"), data("t10k")
    model = tutorial().to(memory_format=LAYOUT)
    loss_of = nn.CrossEntropyLoss()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
    stepped = False
    for _ in range(args.epochs):
        begun = time.perf_counter()
        # Figures of the epoch, as the other programs keep them; read once, at its end.
        total, hits = torch.zeros(()), torch.zeros((), dtype=torch.long)
        for batch in torch.randperm(len(images)).split(args.batch_size):
            truth = labels[batch]
            logits = model(images[batch])
            loss = loss_of(logits, truth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(batch)
            hits += (logits.argmax(1) == truth).sum()
            if not stepped:
                stepped = True
                peer.emit("first_step", seconds=peer.since_start())
        (total / len(images)).item(), (hits / len(images)).item()
        peer.emit("epoch", seconds=time.perf_counter() - begun)

    def predict():
        with torch.no_grad():
            return torch.cat([model(part).softmax(1) for part in test_images.split(peer.PREDICT_BATCH)])

    predict()  # as the others do
    begun = time.perf_counter()
    probabilities = predict()
    peer.emit("predict", seconds=time.perf_counter() - begun)
    peer.emit("accuracy", value=(probabilities.argmax(1) == test_labels).float().mean().item())


main()
