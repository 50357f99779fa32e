//! Losses, penalties and optimizers as values, with the defaults of Keras.

mod adadelta;
mod adam;
mod check;
mod clipping;
mod ema;
mod error;
mod lion;
mod loss;
mod regularizer;
mod rmsprop;
mod sgd;

use serde::{Deserialize, Serialize};

use check::Check;

pub use adadelta::Adadelta;
pub use adam::{Adam, AdamW};
pub use clipping::Clipping;
pub use ema::Ema;
pub use error::OptimizerError;
pub use lion::Lion;
pub use loss::{BinaryCrossentropy, CategoricalCrossentropy, Huber, Loss};
pub use regularizer::Regularizer;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

/// The rule that turns gradients into new weights.
///
/// Every optimizer has, beside its own settings, those of Keras's `BaseOptimizer`:
/// - `weight_decay`: before each update `w <- w - w * weight_decay * learning_rate`, for every weight; by default none,
///   for [`AdamW`] 0.004;
/// - `clipvalue`, `clipnorm`, `global_clipnorm`: at most one of them, see [`Clipping`]; by default none;
/// - `use_ema`, `ema_momentum`, `ema_overwrite_frequency`: see [`Ema`]; by default none.
///
/// Source: `keras/src/optimizers/base_optimizer.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum Optimizer {
    /// See [`Sgd`].
    Sgd(Sgd),
    /// See [`Adadelta`].
    Adadelta(Adadelta),
    /// See [`RmsProp`].
    RmsProp(RmsProp),
    /// See [`Adam`].
    Adam(Adam),
    /// See [`AdamW`].
    AdamW(AdamW),
    /// See [`Lion`].
    Lion(Lion),
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer::RmsProp(RmsProp::default())
    }
}

/// The same expression for the settings of whichever optimizer it is.
macro_rules! each {
    ($optimizer:expr, $settings:ident => $value:expr) => {
        match $optimizer {
            Optimizer::Sgd($settings) => $value,
            Optimizer::Adadelta($settings) => $value,
            Optimizer::RmsProp($settings) => $value,
            Optimizer::Adam($settings) => $value,
            Optimizer::AdamW($settings) => $value,
            Optimizer::Lion($settings) => $value,
        }
    };
}

macro_rules! optimizer_from {
    ($($kind:ident),*) => {
        $(impl From<$kind> for Optimizer {
            fn from(settings: $kind) -> Self {
                Optimizer::$kind(settings)
            }
        })*
    };
}

optimizer_from!(Sgd, Adadelta, RmsProp, Adam, AdamW, Lion);

impl Optimizer {
    /// The names that [`Optimizer::named`] knows.
    pub const NAMES: [&str; 6] = ["sgd", "adadelta", "rmsprop", "adam", "adamw", "lion"];

    /// The optimizer of this name with the settings that Keras gives it by default; `None` for an unknown name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sgd" => Some(Sgd::default().into()),
            "adadelta" => Some(Adadelta::default().into()),
            "rmsprop" => Some(RmsProp::default().into()),
            "adam" => Some(Adam::default().into()),
            "adamw" => Some(AdamW::default().into()),
            "lion" => Some(Lion::default().into()),
            _ => None,
        }
    }

    /// This optimizer where it has this name, else the one of this name with its default settings, but for those that every
    /// optimizer has: clipping and the moving average are as here, and so is a weight decay that is not the default. An unknown
    /// name changes nothing.
    pub fn or_named(self, name: &str) -> Self {
        let Some(mut named) = Self::named(name).filter(|named| named.name() != self.name()) else {
            return self;
        };
        let [clipvalue, clipnorm, global_clipnorm] = self.clippings();
        let own_decay = self.weight_decay();
        let is_default = Self::named(self.name()).is_some_and(|default| default.weight_decay() == own_decay);
        each!(&mut named, settings => {
            (settings.clipvalue, settings.clipnorm, settings.global_clipnorm) = (clipvalue, clipnorm, global_clipnorm);
        });
        let (use_ema, momentum, frequency) = each!(self, settings => (settings.use_ema, settings.ema_momentum, settings.ema_overwrite_frequency));
        each!(&mut named, settings => {
            (settings.use_ema, settings.ema_momentum, settings.ema_overwrite_frequency) = (use_ema, momentum, frequency);
        });
        if let Some(decay) = own_decay.filter(|_| !is_default) {
            named.set_weight_decay(decay);
        }
        named
    }

    /// The name in files and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Optimizer::Sgd(_) => "sgd",
            Optimizer::Adadelta(_) => "adadelta",
            Optimizer::RmsProp(_) => "rmsprop",
            Optimizer::Adam(_) => "adam",
            Optimizer::AdamW(_) => "adamw",
            Optimizer::Lion(_) => "lion",
        }
    }

    /// The step size.
    pub fn learning_rate(&self) -> f64 {
        each!(self, settings => settings.learning_rate)
    }

    /// Sets the step size.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        each!(self, settings => settings.learning_rate = learning_rate);
    }

    /// State values that the update keeps for each weight; all start at zero. A moving average ([`Ema`]) is one more.
    pub fn slots(&self) -> usize {
        match self {
            Optimizer::Sgd(sgd) => sgd.slots(),
            Optimizer::RmsProp(rmsprop) => rmsprop.slots(),
            Optimizer::Adadelta(_) => Adadelta::SLOTS,
            Optimizer::Adam(_) | Optimizer::AdamW(_) => Adam::SLOTS,
            Optimizer::Lion(_) => Lion::SLOTS,
        }
    }

    /// What corrects the bias of the running means at the step with this number, counted from 0:
    /// `sqrt(1 - beta_2^t) / (1 - beta_1^t)` with `t = step + 1` for [`Adam`] and [`AdamW`], 1 for the others.
    pub fn correction(&self, step: usize) -> f32 {
        match self {
            Optimizer::Adam(adam) => adam.correction(step),
            Optimizer::AdamW(adamw) => adamw.adam().correction(step),
            Optimizer::Sgd(_) | Optimizer::Adadelta(_) | Optimizer::RmsProp(_) | Optimizer::Lion(_) => 1.0,
        }
    }

    /// How gradients are cut before an update.
    pub fn clipping(&self) -> Option<Clipping> {
        let [clipvalue, clipnorm, global_clipnorm] = self.clippings();
        clipvalue
            .map(Clipping::Value)
            .or(clipnorm.map(Clipping::Norm))
            .or(global_clipnorm.map(Clipping::GlobalNorm))
    }

    fn clippings(&self) -> [Option<f64>; 3] {
        each!(self, settings => [settings.clipvalue, settings.clipnorm, settings.global_clipnorm])
    }

    /// The moving average of the weights, where one is kept.
    pub fn ema(&self) -> Option<Ema> {
        each!(self, settings => settings.use_ema.then_some(Ema {
            momentum: settings.ema_momentum,
            overwrite_frequency: settings.ema_overwrite_frequency,
        }))
    }

    fn weight_decay(&self) -> Option<f64> {
        match self {
            Optimizer::Sgd(settings) => settings.weight_decay,
            Optimizer::Adadelta(settings) => settings.weight_decay,
            Optimizer::RmsProp(settings) => settings.weight_decay,
            Optimizer::Adam(settings) => settings.weight_decay,
            Optimizer::AdamW(settings) => Some(settings.weight_decay),
            Optimizer::Lion(settings) => settings.weight_decay,
        }
    }

    fn set_weight_decay(&mut self, decay: f64) {
        match self {
            Optimizer::Sgd(settings) => settings.weight_decay = Some(decay),
            Optimizer::Adadelta(settings) => settings.weight_decay = Some(decay),
            Optimizer::RmsProp(settings) => settings.weight_decay = Some(decay),
            Optimizer::Adam(settings) => settings.weight_decay = Some(decay),
            Optimizer::AdamW(settings) => settings.weight_decay = decay,
            Optimizer::Lion(settings) => settings.weight_decay = Some(decay),
        }
    }

    /// Refuses settings outside the range in which the formula means anything.
    pub fn check(&self) -> Result<(), OptimizerError> {
        let check = Check { optimizer: self.name() };
        check.positive("learning_rate", self.learning_rate())?;
        match self {
            Optimizer::Sgd(sgd) => sgd.check(check),
            Optimizer::Adadelta(adadelta) => adadelta.check(check),
            Optimizer::RmsProp(rmsprop) => rmsprop.check(check),
            Optimizer::Adam(adam) => adam.check(check),
            Optimizer::AdamW(adamw) => adamw.adam().check(check),
            Optimizer::Lion(lion) => lion.check(check),
        }?;
        if let Some(weight_decay) = self.weight_decay() {
            let valid = weight_decay >= 0.0 && (weight_decay as f32).is_finite();
            check.that(
                "weight_decay",
                weight_decay,
                valid,
                "a number of at least 0 that a 32-bit float can hold",
            )?;
        }
        ema::check(check, self.ema())?;
        clipping::check(check, self.clippings())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gives_the_optimizer_of_that_name() {
        for name in Optimizer::NAMES {
            let optimizer = Optimizer::named(name).unwrap();
            assert_eq!(optimizer.name(), name);
            assert_eq!(optimizer.check(), Ok(()), "{name}");
            let text = toml::to_string(&optimizer).unwrap();
            assert!(text.starts_with(&format!("name = \"{name}\"\n")), "{text}");
            assert_eq!(toml::from_str(&text), Ok(optimizer));
            assert_eq!(toml::from_str(&format!("name = \"{name}\"")), Ok(optimizer));
            let unknown = toml::from_str::<Optimizer>(&format!("{text}rate = 1.0\n")).unwrap_err();
            assert!(unknown.to_string().contains("unknown field `rate`"), "{unknown}");
        }
        assert_eq!(Optimizer::named("adem"), None);
    }

    /// Of another optimizer only what every optimizer has is kept.
    #[test]
    fn another_optimizer_keeps_the_settings_of_all() {
        let adam =
            Adam { beta_1: 0.5, use_ema: true, ema_momentum: 0.5, clipnorm: Some(2.0), ..Adam::default() };
        let kept = Sgd { use_ema: true, ema_momentum: 0.5, clipnorm: Some(2.0), ..Sgd::default() };
        let decayed = Adam { weight_decay: Some(0.1), ..Adam::default() };
        let rows: [(Optimizer, &str, Optimizer); 6] = [
            (adam.into(), "sgd", kept.into()),
            (adam.into(), "adam", adam.into()),
            (adam.into(), "adem", adam.into()),
            (decayed.into(), "adamw", AdamW { weight_decay: 0.1, ..AdamW::default() }.into()),
            (AdamW::default().into(), "lion", Lion::default().into()),
            (
                AdamW { weight_decay: 0.2, ..AdamW::default() }.into(),
                "lion",
                Lion { weight_decay: Some(0.2), ..Lion::default() }.into(),
            ),
        ];
        for (optimizer, name, expected) in rows {
            assert_eq!(optimizer.or_named(name), expected, "{optimizer:?} as {name}");
        }
    }

    #[test]
    fn the_bias_of_adam_alone_is_corrected() {
        let adam = Optimizer::from(Adam::default());
        // As TensorFlow computes sqrt(1 - beta_2^t) / (1 - beta_1^t) in 32 bits; exactly, the first is 0.3162278.
        for (t, expected) in [(1, 0.31622565), (2, 0.23531435), (10, 0.15318805)] {
            assert_eq!(adam.correction(t - 1), expected, "{t}");
        }
        assert_eq!(adam.correction(1_000_000), 1.0);
        assert_eq!(Optimizer::from(AdamW::default()).correction(7), adam.correction(7));
        assert_eq!(Optimizer::default().correction(0), 1.0);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let rmsprop = RmsProp::default();
        let adam = Adam::default();
        let rows: [(Optimizer, &str); 24] = [
            // Rounded to 32 bits it is 1.
            (Adam { beta_2: 1.0 - 1e-9, ..adam }.into(), "beta_2"),
            (RmsProp { learning_rate: 0.0, ..rmsprop }.into(), "learning_rate"),
            (RmsProp { learning_rate: f64::NAN, ..rmsprop }.into(), "learning_rate"),
            (RmsProp { learning_rate: 1e300, ..rmsprop }.into(), "learning_rate"),
            (RmsProp { rho: 1.0, ..rmsprop }.into(), "rho"),
            (RmsProp { momentum: -0.1, ..rmsprop }.into(), "momentum"),
            (RmsProp { epsilon: 0.0, ..rmsprop }.into(), "epsilon"),
            (Sgd { momentum: 1.5, ..Sgd::default() }.into(), "momentum"),
            (Sgd { learning_rate: -1.0, ..Sgd::default() }.into(), "learning_rate"),
            (Adadelta { rho: -0.5, ..Adadelta::default() }.into(), "rho"),
            (Adadelta { epsilon: -1e-7, ..Adadelta::default() }.into(), "epsilon"),
            (Adam { beta_1: 1.0, ..adam }.into(), "beta_1"),
            (Adam { beta_2: f64::NAN, ..adam }.into(), "beta_2"),
            (Adam { epsilon: 0.0, ..adam }.into(), "epsilon"),
            (AdamW { weight_decay: -0.1, ..AdamW::default() }.into(), "weight_decay"),
            (Lion { beta_1: 0.0, ..Lion::default() }.into(), "beta_1"),
            (Lion { beta_2: 1.0, ..Lion::default() }.into(), "beta_2"),
            (Adam { clipvalue: Some(0.0), ..adam }.into(), "clipvalue"),
            (Adam { clipnorm: Some(f64::INFINITY), ..adam }.into(), "clipnorm"),
            (Adam { global_clipnorm: Some(-1.0), ..adam }.into(), "global_clipnorm"),
            (Adam { use_ema: true, ema_momentum: 1.1, ..adam }.into(), "ema_momentum"),
            (Sgd { use_ema: true, ema_momentum: f64::NAN, ..Sgd::default() }.into(), "ema_momentum"),
            (
                Lion { use_ema: true, ema_overwrite_frequency: Some(0), ..Lion::default() }.into(),
                "ema_overwrite",
            ),
            (Adam { clipnorm: Some(1.0), global_clipnorm: Some(1.0), ..adam }.into(), "one of"),
        ];
        for (optimizer, setting) in rows {
            let message = optimizer.check().unwrap_err().to_string();
            assert!(message.contains(setting), "{message} does not name {setting}");
        }
    }
}
