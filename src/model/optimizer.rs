//! Losses and optimizers as values, with the defaults of Keras.

use serde::{Deserialize, Serialize};

use super::ModelError;

/// What training makes small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// `-(1/n) sum_i sum_c target[i, c] * log softmax(logits)[i, c]`, the mean over the batch.
    ///
    /// Computed from logits, fused with the softmax of the last layer and not clipped, as Keras on
    /// TensorFlow does for a softmax output (`keras/src/backend/tensorflow/nn.py`, `categorical_crossentropy`).
    #[default]
    CategoricalCrossentropy,
}

/// The rule that turns gradients into new weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum Optimizer {
    /// See [`RmsProp`].
    RmsProp(RmsProp),
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer::RmsProp(RmsProp::default())
    }
}

impl From<RmsProp> for Optimizer {
    fn from(rmsprop: RmsProp) -> Self {
        Optimizer::RmsProp(rmsprop)
    }
}

impl Optimizer {
    /// The names that [`Optimizer::named`] knows.
    pub const NAMES: [&str; 1] = ["rmsprop"];

    /// The optimizer of this name with the settings that Keras gives it by default; `None` for an unknown name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "rmsprop" => Some(RmsProp::default().into()),
            _ => None,
        }
    }

    /// The name in files and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Optimizer::RmsProp(_) => "rmsprop",
        }
    }

    /// The step size.
    pub fn learning_rate(&self) -> f64 {
        match self {
            Optimizer::RmsProp(rmsprop) => rmsprop.learning_rate,
        }
    }

    /// Sets the step size.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        match self {
            Optimizer::RmsProp(rmsprop) => rmsprop.learning_rate = learning_rate,
        }
    }

    /// Refuses settings outside the range in which the formula means anything.
    pub fn check(&self) -> Result<(), ModelError> {
        match self {
            Optimizer::RmsProp(rmsprop) => rmsprop.check(),
        }
    }
}

/// RMSprop, exactly as Keras 3 computes it (epsilon inside the root):
///
/// ```text
/// v <- rho*v + (1 - rho)*g^2
/// d <- v                      plain
/// a <- rho*a + (1 - rho)*g;  d <- v - a^2      centered
/// u <- learning_rate * g / sqrt(d + epsilon)
/// w <- w - u                  without momentum
/// m <- momentum*m + u;  w <- w - m             with momentum
/// ```
///
/// All state starts at zero. Source: Tieleman and Hinton, Coursera lecture 6.5, 2012;
/// `keras/src/optimizers/rmsprop.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// Step size; default 0.001.
    pub learning_rate: f64,
    /// Decay of the running mean of squares, in `[0, 1)`; default 0.9.
    pub rho: f64,
    /// Momentum, in `[0, 1)`; default 0 (off).
    pub momentum: f64,
    /// Added under the root; default 1e-7.
    pub epsilon: f64,
    /// Whether the variance is taken around the running mean of the gradient; default false.
    pub centered: bool,
}

impl Default for RmsProp {
    fn default() -> Self {
        RmsProp { learning_rate: 1e-3, rho: 0.9, momentum: 0.0, epsilon: 1e-7, centered: false }
    }
}

impl RmsProp {
    /// State values kept for each weight: `v`, and `m` and `a` when they are used.
    pub fn slots(&self) -> usize {
        1 + usize::from(self.momentum > 0.0) + usize::from(self.centered)
    }

    fn check(&self) -> Result<(), ModelError> {
        let range = |setting, value: f64, valid: bool, expected| {
            if valid {
                Ok(())
            } else {
                Err(ModelError::Optimizer { optimizer: "rmsprop", setting, value, expected })
            }
        };
        let positive = |x: f64| (x as f32) > 0.0 && (x as f32).is_finite();
        let fraction = |x: f64| (0.0..1.0).contains(&x);
        range("learning_rate", self.learning_rate, positive(self.learning_rate), "a finite number above 0")?;
        range("rho", self.rho, fraction(self.rho), "at least 0 and below 1")?;
        range("momentum", self.momentum, fraction(self.momentum), "at least 0 and below 1")?;
        range("epsilon", self.epsilon, positive(self.epsilon), "a finite number above 0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gives_the_optimizer_of_that_name() {
        for name in Optimizer::NAMES {
            assert_eq!(Optimizer::named(name).map(|optimizer| optimizer.name()), Some(name));
        }
        assert_eq!(Optimizer::named("adem"), None);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let good = RmsProp::default();
        assert!(Optimizer::from(good).check().is_ok());
        let rows = [
            (RmsProp { learning_rate: 0.0, ..good }, "learning_rate"),
            (RmsProp { learning_rate: f64::NAN, ..good }, "learning_rate"),
            (RmsProp { learning_rate: 1e300, ..good }, "learning_rate"),
            (RmsProp { rho: 1.0, ..good }, "rho"),
            (RmsProp { momentum: -0.1, ..good }, "momentum"),
            (RmsProp { epsilon: 0.0, ..good }, "epsilon"),
        ];
        for (rmsprop, setting) in rows {
            let message = Optimizer::from(rmsprop).check().unwrap_err().to_string();
            assert!(message.contains(setting), "{message}");
        }
    }
}
