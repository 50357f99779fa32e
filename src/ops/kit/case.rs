//! One case of `verify`: a step, the numbers it runs on, and its printed name.

use super::batch::BatchParams;

/// What the floats of a case's inputs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Uniform in `[-1, 1)`.
    Uniform,
    /// Multiples of 1/8 in `[-1, 1]`: ties and zeros abound, and sums are exact in any order.
    Eighths,
    /// Uniform in `[-80, 80)`: logits whose exponentials span the range of f32.
    Large,
    /// Uniform in `[-200, 200)`: logits whose exponentials are beyond the range of f32.
    Huge,
    /// All the same.
    Equal,
}

/// What an update finds: the tripwire, the loss of its row, its gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// All is well, and so it is in training.
    Clear,
    /// Nobody looks: an earlier row has tripped, and the loss is not finite.
    Unguarded,
    /// An earlier row has tripped.
    TrippedBefore,
    /// Another update of this row has tripped.
    TrippedNow,
    /// The loss is not finite.
    BadLoss,
    /// Some gradients are not finite.
    BadGradients,
}

impl Wire {
    /// What an update must do under it, all but where it is clear.
    pub const NOT_CLEAR: [Wire; 5] =
        [Wire::Unguarded, Wire::TrippedBefore, Wire::TrippedNow, Wire::BadLoss, Wire::BadGradients];

    /// Whether an update does nothing at all.
    pub(crate) fn holds(self) -> bool {
        matches!(self, Wire::TrippedBefore | Wire::BadLoss)
    }
}

/// A step on inputs that its kind and its number decide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case<O> {
    /// What is computed.
    pub op: O,
    /// What the step reads of the batch.
    pub batch: BatchParams,
    /// What its inputs are.
    pub numbers: Numbers,
    /// Whether workgroups are folded into a square, as if a dimension had room for no more, with a few to spare.
    pub folded: bool,
    /// What an update finds.
    pub wire: Wire,
}

impl<O> Case<O> {
    /// The same case of another type of op.
    pub(crate) fn map<P>(self, f: impl FnOnce(O) -> P) -> Case<P> {
        let Case { op, batch, numbers, folded, wire } = self;
        Case { op: f(op), batch, numbers, folded, wire }
    }

    /// With other numbers.
    pub(crate) fn with(self, numbers: Numbers) -> Self {
        Case { numbers, ..self }
    }

    /// With workgroups folded into a square.
    pub(crate) fn folded(self) -> Self {
        Case { folded: true, ..self }
    }

    /// An update in a later batch of the pass that finds this.
    pub(crate) fn finds(self, wire: Wire) -> Self {
        let guarded = u32::from(wire != Wire::Unguarded);
        Case { wire, batch: BatchParams { slot: 3, guarded, ..self.batch }, ..self }
    }

    /// With a batch of `batch_size` samples that begins at `first` of the order and writes metrics at `slot`; where `first` is not 0, it
    /// is a part of a larger batch.
    pub(crate) fn batch(self, batch_size: u32, first: u32, slot: u32) -> Self {
        let divisor = batch_size + first;
        Case {
            batch: BatchParams { batch_size, first, slot, position: first + 2, divisor, ..self.batch },
            ..self
        }
    }

    /// As a training step with this number, under a seed that fills both of its words.
    pub(crate) fn training(self, number: u32) -> Self {
        let [seed_low, seed_high] = [0x9ABC_DEF0, 0x1234_5678];
        Case { batch: BatchParams { training: 1, number, seed_low, seed_high, ..self.batch }, ..self }
    }

    /// With this correction of the bias of Adam's running means.
    pub(crate) fn corrected(self, correction: f32) -> Self {
        Case { batch: BatchParams { correction, ..self.batch }, ..self }
    }
}
