//! Penalties that keep weights small.

use crate::numbers::shown;
use serde::{Deserialize, Serialize};

/// A penalty `sum_i l1*|w[i]| + l2*w[i]^2` of a layer's kernel, added to the loss in training and in evaluation; its
/// gradient is `l1*sign(w) + 2*l2*w`, with the sign of 0 being 0.
///
/// Source: `keras/src/regularizers/regularizers.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Regularizer {
    /// Factor of the magnitudes; default 0.
    pub l1: f64,
    /// Factor of the squares; default 0.
    pub l2: f64,
}

impl Regularizer {
    /// `l1*|w|` alone, as `keras.regularizers.L1`, whose default is 0.01.
    pub fn l1(l1: f64) -> Self {
        Regularizer { l1, l2: 0.0 }
    }

    /// `l2*w^2` alone, as `keras.regularizers.L2`, whose default is 0.01.
    pub fn l2(l2: f64) -> Self {
        Regularizer { l1: 0.0, l2 }
    }

    /// Both, as `keras.regularizers.L1L2`.
    pub fn l1_l2(l1: f64, l2: f64) -> Self {
        Regularizer { l1, l2 }
    }

    /// What is wrong with the factors, if anything.
    pub(crate) fn problem(&self) -> Option<String> {
        let wrong = |factor: f64| !(factor >= 0.0 && (factor as f32).is_finite());
        let factors = [("l1", self.l1), ("l2", self.l2)];
        let (name, factor) = factors.into_iter().find(|&(_, factor)| wrong(factor))?;
        Some(format!(
            "{name} is {}, but must be a number of at least 0 that a 32-bit float can hold",
            shown(factor)
        ))
    }

    /// Whether it penalises nothing.
    pub fn is_none(&self) -> bool {
        self.l1 == 0.0 && self.l2 == 0.0
    }
}
