//! Losses as values.

use crate::numbers::shown;
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

/// What training minimizes.
///
/// In a model file a loss is its name, or a table of its name and its settings:
///
/// ```toml
/// loss = "huber"
/// loss = { name = "huber", delta = 0.5 }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// See [`CategoricalCrossentropy`].
    CategoricalCrossentropy(CategoricalCrossentropy),
    /// `(1/n) sum_i (1/classes) sum_c (y[i, c] - target[i, c])^2` of the outputs y, the mean over the batch.
    ///
    /// Source: `mean_squared_error` in `keras/src/losses/losses.py`.
    MeanSquaredError,
    /// `(1/n) sum_i (1/classes) sum_c |y[i, c] - target[i, c]|` of the outputs y, the mean over the batch.
    ///
    /// Source: `mean_absolute_error` in `keras/src/losses/losses.py`.
    MeanAbsoluteError,
    /// See [`Huber`].
    Huber(Huber),
    /// See [`BinaryCrossentropy`].
    BinaryCrossentropy(BinaryCrossentropy),
}

impl Default for Loss {
    fn default() -> Self {
        CategoricalCrossentropy::default().into()
    }
}

/// `-(1/n) sum_i sum_c target[i, c] * log p[i, c]`, the mean over the batch.
///
/// Where softmax is the last activation, p are its outputs, and the loss is computed from its logits, fused with it
/// and not clipped. After any other activation the outputs are taken as probabilities: p are the outputs divided by
/// their sum and clipped to `[1e-7, 1 - 1e-7]`.
/// Source: `categorical_crossentropy` in `keras/src/losses/losses.py` and in `keras/src/backend/tensorflow/nn.py`.
///
/// A model file may also say `sparse_categorical_crossentropy`: data sets hold labels and one-hot rows alike.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CategoricalCrossentropy {
    /// How much of a target is spread over all classes, from 0 to 1: the target `t` becomes `t * (1 - label_smoothing)
    /// + label_smoothing / classes`, in training and in evaluation. Accuracy does not depend on it. Default 0.
    pub label_smoothing: f64,
}

/// `-(1/n) sum_i (1/columns) sum_c target[i, c] * ln p[i, c] + (1 - target[i, c]) * ln(1 - p[i, c])`, the mean over the batch.
///
/// Where sigmoid is the last activation, p are its outputs, and the loss is computed from its logits, fused with it and
/// not clipped. After any other activation p are the outputs, clipped to `[1e-7, 1 - 1e-7]`.
///
/// A last layer of several units is compared with one-hot targets, as with the other losses. The output of a single
/// sigmoid unit is the probability of the second of two classes, and the target is the label, 0 or 1. Source:
/// `binary_crossentropy` in `keras/src/losses/losses.py` and in `keras/src/backend/tensorflow/nn.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinaryCrossentropy {
    /// How far targets are moved towards 1/2, from 0 to 1: the target `t` becomes `t * (1 - label_smoothing) +
    /// label_smoothing / 2`, in training and in evaluation. Accuracy does not depend on it. Default 0.
    pub label_smoothing: f64,
}

/// Squares of small errors, magnitudes of large ones: `(1/n) sum_i (1/classes) sum_c h(y[i, c] - target[i, c])` of the
/// outputs y, the mean over the batch, with
///
/// ```text
/// h(d) = d^2 / 2                    where |d| <= delta
///        delta * (|d| - delta / 2)  elsewhere
/// ```
///
/// Source: `huber` in `keras/src/losses/losses.py`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Huber {
    /// Up to this error the loss is quadratic, beyond it linear; above 0, default 1.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Huber { delta: 1.0 }
    }
}

macro_rules! loss_from {
    ($($kind:ident),*) => {
        $(impl From<$kind> for Loss {
            fn from(settings: $kind) -> Self {
                Loss::$kind(settings)
            }
        })*
    };
}

loss_from!(CategoricalCrossentropy, Huber, BinaryCrossentropy);

/// The table of a loss.
#[derive(Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
enum Table {
    #[serde(alias = "sparse_categorical_crossentropy")]
    CategoricalCrossentropy(CategoricalCrossentropy),
    #[serde(alias = "mse")]
    MeanSquaredError(NoSettings),
    #[serde(alias = "mae")]
    MeanAbsoluteError(NoSettings),
    Huber(Huber),
    #[serde(alias = "bce")]
    BinaryCrossentropy(BinaryCrossentropy),
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoSettings {}

impl From<Table> for Loss {
    fn from(table: Table) -> Self {
        match table {
            Table::CategoricalCrossentropy(settings) => Loss::CategoricalCrossentropy(settings),
            Table::MeanSquaredError(_) => Loss::MeanSquaredError,
            Table::MeanAbsoluteError(_) => Loss::MeanAbsoluteError,
            Table::Huber(settings) => Loss::Huber(settings),
            Table::BinaryCrossentropy(settings) => Loss::BinaryCrossentropy(settings),
        }
    }
}

impl From<Loss> for Table {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::CategoricalCrossentropy(settings) => Table::CategoricalCrossentropy(settings),
            Loss::MeanSquaredError => Table::MeanSquaredError(NoSettings {}),
            Loss::MeanAbsoluteError => Table::MeanAbsoluteError(NoSettings {}),
            Loss::Huber(settings) => Table::Huber(settings),
            Loss::BinaryCrossentropy(settings) => Table::BinaryCrossentropy(settings),
        }
    }
}

impl Loss {
    /// The name in files and messages, as in Keras.
    pub fn name(&self) -> &'static str {
        match self {
            Loss::CategoricalCrossentropy(_) => "categorical_crossentropy",
            Loss::MeanSquaredError => "mean_squared_error",
            Loss::MeanAbsoluteError => "mean_absolute_error",
            Loss::Huber(_) => "huber",
            Loss::BinaryCrossentropy(_) => "binary_crossentropy",
        }
    }

    /// What a target of so many classes holds at the class of a sample, and elsewhere: 1 and 0, unless it is smoothed.
    pub(crate) fn on_and_off(&self, classes: usize) -> [f32; 2] {
        let [scale, share] = self.smoothing(classes);
        // Targets that are smoothed to nothing still tell their class, for the accuracy, by the last bit.
        [(scale + share).max(share.next_up()), share]
    }

    /// The factor of the targets of so many columns, and what is added to them then: 1 and 0, unless they are smoothed.
    pub(crate) fn smoothing(&self, columns: usize) -> [f32; 2] {
        let share = match *self {
            Loss::CategoricalCrossentropy(settings) => settings.label_smoothing as f32 / columns as f32,
            Loss::BinaryCrossentropy(settings) => settings.label_smoothing as f32 / 2.0,
            _ => 0.0,
        };
        [(1.0 - self.label_smoothing()) as f32, share]
    }

    fn label_smoothing(&self) -> f64 {
        match *self {
            Loss::CategoricalCrossentropy(settings) => settings.label_smoothing,
            Loss::BinaryCrossentropy(settings) => settings.label_smoothing,
            _ => 0.0,
        }
    }

    /// What is wrong with a setting, if anything is.
    pub(crate) fn problem(&self) -> Option<String> {
        let wrong = |setting, value: f64, expected| {
            Some(format!("loss `{}`: `{setting}` is {}, but must be {expected}", self.name(), shown(value)))
        };
        if let Loss::Huber(Huber { delta }) = *self
            && !(delta as f32 > 0.0 && (delta as f32).is_finite())
        {
            return wrong("delta", delta, "a number above 0 that a 32-bit float can hold");
        }
        let smoothing = self.label_smoothing();
        if !(0.0..=1.0).contains(&smoothing) {
            return wrong("label_smoothing", smoothing, "at least 0 and at most 1");
        }
        None
    }

    /// Whether every setting is the default.
    fn is_plain(&self) -> bool {
        let is_huber = matches!(self, Loss::Huber(_));
        self.label_smoothing() == 0.0 && (!is_huber || *self == Huber::default().into())
    }
}

/// A name where every setting is the default, else a table.
impl Serialize for Loss {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_plain() {
            serializer.serialize_str(self.name())
        } else {
            Table::from(*self).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Loss {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrTable)
    }
}

struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = Loss;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the name of a loss, or a table of its `name` and settings")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Loss, E> {
        let table = MapDeserializer::new([("name", name)].into_iter());
        Table::deserialize(table).map(Loss::from)
    }

    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Loss, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(table)).map(Loss::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct File {
        loss: Loss,
    }

    #[test]
    fn a_loss_is_its_name_or_a_table() {
        // The loss, its text, and other texts that are read as it.
        let rows: [(Loss, &str, &[&str]); 8] = [
            (
                Loss::default(),
                "loss = \"categorical_crossentropy\"\n",
                &[
                    "loss = \"sparse_categorical_crossentropy\"",
                    "loss = { name = \"categorical_crossentropy\" }",
                ],
            ),
            (
                CategoricalCrossentropy { label_smoothing: 0.1 }.into(),
                "[loss]\nname = \"categorical_crossentropy\"\nlabel_smoothing = 0.1\n",
                &["loss = { name = \"sparse_categorical_crossentropy\", label_smoothing = 0.1 }"],
            ),
            (
                BinaryCrossentropy { label_smoothing: 0.5 }.into(),
                "[loss]\nname = \"binary_crossentropy\"\nlabel_smoothing = 0.5\n",
                &[],
            ),
            (BinaryCrossentropy::default().into(), "loss = \"binary_crossentropy\"\n", &["loss = \"bce\""]),
            (Loss::MeanSquaredError, "loss = \"mean_squared_error\"\n", &["loss = \"mse\""]),
            (Loss::MeanAbsoluteError, "loss = \"mean_absolute_error\"\n", &["loss = \"mae\""]),
            (
                Huber::default().into(),
                "loss = \"huber\"\n",
                &["loss = { name = \"huber\" }", "loss = { name = \"huber\", delta = 1 }"],
            ),
            (Huber { delta: 0.25 }.into(), "[loss]\nname = \"huber\"\ndelta = 0.25\n", &[]),
        ];
        for (loss, text, others) in rows {
            assert_eq!(toml::to_string(&File { loss }).as_deref(), Ok(text));
            for text in others.iter().chain(&[text]) {
                assert_eq!(toml::from_str(text), Ok(File { loss }), "{text}");
            }
            let json = serde_json::to_string(&loss).unwrap();
            assert_eq!(serde_json::from_str::<Loss>(&json).unwrap(), loss, "{json}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let rows = [
            ("loss = \"mean_square_error\"", "unknown variant `mean_square_error`, expected one of"),
            ("loss = { name = \"hubert\" }", "unknown variant `hubert`, expected one of"),
            ("loss = { name = \"huber\", beta = 1.0 }", "unknown field `beta`, expected `delta`"),
            ("loss = { name = \"mean_squared_error\", delta = 1.0 }", "unknown field `delta`"),
            ("loss = { delta = 1.0 }", "missing field `name`"),
            ("loss = 3", "expected the name of a loss"),
        ];
        for (text, expected) in rows {
            let message = toml::from_str::<File>(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message:?} lacks {expected:?}");
        }
        let huber = [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-60].map(|delta| Huber { delta }.into());
        let smoothings = [-0.1, 1.0001, f64::NAN, f64::INFINITY];
        let categorical =
            smoothings.map(|label_smoothing| CategoricalCrossentropy { label_smoothing }.into());
        let binary = smoothings.map(|label_smoothing| BinaryCrossentropy { label_smoothing }.into());
        for loss in [huber.to_vec(), categorical.to_vec(), binary.to_vec()].concat() {
            let problem = Loss::problem(&loss).unwrap_or_default();
            assert!(problem.starts_with(&format!("loss `{}`: `", loss.name())), "{loss:?}: {problem}");
        }
    }

    #[test]
    fn targets_are_smoothed_and_still_tell_their_class() {
        for (label_smoothing, classes, expected) in
            [(0.0, 10, [1.0, 0.0]), (0.5, 4, [0.625, 0.125]), (0.1, 10, [0.91, 0.01])]
        {
            let loss = Loss::from(CategoricalCrossentropy { label_smoothing });
            let found = loss.on_and_off(classes);
            assert!((found[0] - expected[0]).abs() < 1e-7 && found[1] == expected[1], "{loss:?}: {found:?}");
        }
        assert_eq!(Loss::from(BinaryCrossentropy { label_smoothing: 0.5 }).on_and_off(1), [0.75, 0.25]);
        for loss in [Loss::MeanSquaredError, Huber::default().into(), BinaryCrossentropy::default().into()] {
            assert_eq!(loss.on_and_off(3), [1.0, 0.0], "{loss:?}");
        }
        for label_smoothing in [1.0, 1.0 - 1e-9] {
            for classes in [2, 3, 10, 256] {
                let [on, off] = Loss::from(CategoricalCrossentropy { label_smoothing }).on_and_off(classes);
                assert!(on > off && on - off <= f32::EPSILON, "{classes}: {on} {off}");
            }
            let loss = Loss::from(BinaryCrossentropy { label_smoothing });
            assert_eq!(loss.problem(), None);
            let [on, off] = loss.on_and_off(1);
            assert!(on > 0.5 && off <= 0.5 && on - off <= 2.0 * f32::EPSILON, "{on} {off}");
        }
    }
}
