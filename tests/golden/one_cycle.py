"""The one-cycle schedule as a schedule of Keras, which has none: the phases of PyTorch's OneCycleLR, in float64.

A list of phases, each with its last step and its two rates, as PyTorch keeps them; the rates of all steps are computed
beforehand.
"""

import math

import keras


def rates(max_learning_rate, total_steps, pct_start=0.3, div_factor=25.0, final_div_factor=1e4):
    """The rate of each step of the cycle."""
    first = max_learning_rate / div_factor
    phases = [
        (pct_start * total_steps - 1, first, max_learning_rate),
        (total_steps - 1, max_learning_rate, first / final_div_factor),
    ]
    found = []
    for step in range(total_steps):
        begin = 0.0
        for number, (end, start_rate, end_rate) in enumerate(phases):
            if step <= end or number == len(phases) - 1:
                share = (step - begin) / (end - begin)
                found.append(end_rate + (start_rate - end_rate) / 2 * (math.cos(math.pi * share) + 1))
                break
            begin = end
    return found


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """After the cycle the rate stays that of its last step."""

    def __init__(self, **settings):
        self.rates = rates(**settings)

    def __call__(self, step):
        last = len(self.rates) - 1
        place = keras.ops.minimum(keras.ops.cast(step, "int32"), last)
        return keras.ops.take(keras.ops.convert_to_tensor(self.rates, dtype=keras.config.floatx()), place)
