//! A number that is not finite.

use std::fmt;

use crate::message::debug_is_message;

/// Training has produced a number that is not finite. The model has the weights from before that batch, except with
/// [`Bad::Weights`], and with [`Bad::Gradient`] where `train_on_batch` found it: then those whose own gradients are finite have been updated.
#[derive(Clone, PartialEq, thiserror::Error)]
#[error("training has diverged: {}: {found}{}", told(*bad, *step, *epoch), also(advice))]
pub struct Divergence {
    /// The first bad optimizer step, counted from 1 over the whole run; with [`Bad::Weights`] the last that it can
    /// be.
    pub step: usize,
    /// Its epoch, counted from 1.
    pub epoch: usize,
    /// What is not finite.
    pub bad: Bad,
    /// Where it came from.
    pub found: Found,
    /// What is wrong with the model itself, if anything: [`loss_advice`](crate::model::Network::loss_advice).
    pub advice: Option<String>,
}

debug_is_message!(Divergence);

/// What is not finite after an optimizer step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bad {
    /// The loss; this is its value.
    Loss(f32),
    /// An element of a gradient, although the loss was finite.
    Gradient,
    /// Only the weights after the step: an update overflowed, this one or an earlier one whose weight has not
    /// affected the loss since.
    Weights,
}

/// Where the first number that is not finite was found when the batch was run again, each step of the plan by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// In a weight before or after the step.
    Weight {
        /// The weight tensor.
        name: String,
        /// Which element.
        element: Vec<usize>,
        /// Its value.
        value: f32,
    },
    /// In the output of a step of the plan.
    Output {
        /// The step of the plan.
        step: String,
        /// Its kind.
        kind: &'static str,
        /// The output.
        tensor: String,
        /// Which element.
        element: Vec<usize>,
        /// Its value.
        value: f32,
    },
    /// Nowhere: with sums in another order everything stayed finite.
    Nothing,
    /// The step could not be run again, for this reason.
    NotReplayed(String),
}

fn also(advice: &Option<String>) -> String {
    advice.as_ref().map_or(String::new(), |advice| format!("; {advice}"))
}

fn told(bad: Bad, step: usize, epoch: usize) -> String {
    match bad {
        Bad::Loss(loss) => format!("the loss of step {step} (epoch {epoch}) is {loss}"),
        Bad::Gradient => format!("a gradient of step {step} (epoch {epoch}) is not finite"),
        Bad::Weights => format!("after step {step} (epoch {epoch}) a weight is not finite"),
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Weight { name, element, value } => write!(f, "the weight `{name}`{element:?} is {value}"),
            Found::Output { step, kind, tensor, element, value } => write!(
                f,
                "when it was run again step by step, the first number that was not finite was {tensor}{element:?} = \
                 {value} of plan step `{step}` ({kind})"
            ),
            Found::Nothing => f.write_str(
                "when it was run again step by step, with sums in another order, everything was finite, so a sum was \
                 close to the largest number that f32 holds",
            ),
            Found::NotReplayed(why) => write!(f, "it could not be run again step by step ({why})"),
        }
    }
}
