"""The tutorial in Keras on TensorFlow, as its author wrote it: one call of `fit`."""

import os
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras import layers

import peer


def tutorial():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def deeper():
    """The net of assets/models/deeper.toml."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


MODELS = {"tutorial": tutorial, "deeper": deeper}


class Clock(keras.callbacks.Callback):
    """Reports the first step and each epoch."""

    # It looks at no figure of a batch, so Keras need not wait for any: `fit` runs as it would without it.
    async_safe = True

    def __init__(self):
        super().__init__()
        self.stepped = False

    def on_train_batch_end(self, batch, logs=None):
        if not self.stepped:
            self.stepped = True
            peer.emit("first_step", seconds=peer.since_start())

    def on_epoch_begin(self, epoch, logs=None):
        self.begun = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        peer.emit("epoch", seconds=time.perf_counter() - self.begun)


def main():
    parser = peer.arguments(__doc__)
    parser.add_argument("--model", choices=MODELS, default="tutorial")
    parser.add_argument("--steps-per-execution", type=int, default=1)
    args = parser.parse_args()

    def data(stem):
        images, labels = peer.load(args.data, stem)
        return images.reshape(-1, 28, 28, 1).astype("float32") / 255, keras.utils.to_categorical(labels, 10)

    (images, labels), (test_images, test_labels) = data("train"), data("t10k")
    model = MODELS[args.model]()
    model.compile(
        optimizer="rmsprop",
        loss="categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=args.steps_per_execution,
    )
    model.fit(images, labels, epochs=args.epochs, batch_size=args.batch_size, callbacks=[Clock()], verbose=0)

    def predict():
        return model.predict(test_images, batch_size=peer.PREDICT_BATCH, verbose=0)

    predict()  # traces the graph
    begun = time.perf_counter()
    probabilities = predict()
    peer.emit("predict", seconds=time.perf_counter() - begun)
    hits = probabilities.argmax(1) == test_labels.argmax(1)
    peer.emit("accuracy", value=float(hits.mean()))


if __name__ == "__main__":
    main()
