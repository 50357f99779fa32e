"""The one-cycle schedule as a schedule of Keras, which has none: all rates of PyTorch's OneCycleLR at once, in float64."""

import keras
import numpy as np


def rates(max_learning_rate, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    """The rate of each step, [total_steps]: between its two ends as half a cosine goes, on the way up as on the way down."""
    step = np.arange(total_steps, dtype=np.float64)
    top, end = pct_start * total_steps - 1, total_steps - 1
    up = step <= top
    with np.errstate(divide="ignore", invalid="ignore"):
        # A way of no length is taken by no step.
        done = np.where(up, step / top, (step - top) / (end - top))
    first = max_learning_rate / div_factor
    begin = np.where(up, first, max_learning_rate)
    goal = np.where(up, max_learning_rate, first / final_div_factor)
    left = np.cos(np.pi / 2 * done) ** 2
    return begin * left + goal * (1 - left)


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """After the cycle the rate stays that of its last step."""

    def __init__(self, **settings):
        self.rates = rates(**settings)

    def __call__(self, step):
        place = keras.ops.minimum(keras.ops.cast(step, "int32"), len(self.rates) - 1)
        return keras.ops.take(keras.ops.convert_to_tensor(self.rates, dtype=keras.config.floatx()), place)
