//! Losses as values.

use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

/// What training makes small.
///
/// In a model file a loss is its name, or a table of its name and its settings:
///
/// ```toml
/// loss = "huber"
/// loss = { name = "huber", delta = 0.5 }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Loss {
    /// `-(1/n) sum_i sum_c target[i, c] * log p[i, c]`, the mean over the batch.
    ///
    /// Where softmax is the last activation, p are its outputs, and the loss is computed from its logits, fused with it
    /// and not clipped. After any other activation the outputs are taken as probabilities: p are the outputs divided by
    /// their sum and clipped to `[1e-7, 1 - 1e-7]`.
    /// Source: `categorical_crossentropy` in `keras/src/backend/tensorflow/nn.py`.
    ///
    /// A model file may also say `sparse_categorical_crossentropy`: data sets hold labels and one-hot rows alike.
    #[default]
    CategoricalCrossentropy,
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
    /// `-(1/n) sum_i (1/columns) sum_c target[i, c] * ln p[i, c] + (1 - target[i, c]) * ln(1 - p[i, c])`, the mean over the batch.
    ///
    /// Where sigmoid is the last activation, p are its outputs, and the loss is computed from its logits, fused with it and
    /// not clipped. After any other activation p are the outputs, clipped to `[1e-7, 1 - 1e-7]`.
    ///
    /// A last layer of several units is held to one-hot targets, as by the other losses. Of a single sigmoid unit the output is
    /// the probability of the second of two classes, and the target is the label, 0 or 1.
    /// Source: `binary_crossentropy` in `keras/src/backend/tensorflow/nn.py`.
    BinaryCrossentropy,
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
    /// From which error on it grows in proportion; above 0, default 1.
    pub delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Huber { delta: 1.0 }
    }
}

impl From<Huber> for Loss {
    fn from(settings: Huber) -> Self {
        Loss::Huber(settings)
    }
}

/// The table of a loss.
#[derive(Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
enum Table {
    #[serde(alias = "sparse_categorical_crossentropy")]
    CategoricalCrossentropy(NoSettings),
    MeanSquaredError(NoSettings),
    MeanAbsoluteError(NoSettings),
    Huber(Huber),
    BinaryCrossentropy(NoSettings),
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoSettings {}

impl From<Table> for Loss {
    fn from(table: Table) -> Self {
        match table {
            Table::CategoricalCrossentropy(_) => Loss::CategoricalCrossentropy,
            Table::MeanSquaredError(_) => Loss::MeanSquaredError,
            Table::MeanAbsoluteError(_) => Loss::MeanAbsoluteError,
            Table::Huber(settings) => Loss::Huber(settings),
            Table::BinaryCrossentropy(_) => Loss::BinaryCrossentropy,
        }
    }
}

impl From<Loss> for Table {
    fn from(loss: Loss) -> Self {
        match loss {
            Loss::CategoricalCrossentropy => Table::CategoricalCrossentropy(NoSettings {}),
            Loss::MeanSquaredError => Table::MeanSquaredError(NoSettings {}),
            Loss::MeanAbsoluteError => Table::MeanAbsoluteError(NoSettings {}),
            Loss::Huber(settings) => Table::Huber(settings),
            Loss::BinaryCrossentropy => Table::BinaryCrossentropy(NoSettings {}),
        }
    }
}

impl Loss {
    /// The name in files and messages, as in Keras.
    pub fn name(&self) -> &'static str {
        match self {
            Loss::CategoricalCrossentropy => "categorical_crossentropy",
            Loss::MeanSquaredError => "mean_squared_error",
            Loss::MeanAbsoluteError => "mean_absolute_error",
            Loss::Huber(_) => "huber",
            Loss::BinaryCrossentropy => "binary_crossentropy",
        }
    }

    /// What is wrong with a setting, if anything is.
    pub(crate) fn problem(&self) -> Option<String> {
        let (setting, value, expected) = match *self {
            Loss::Huber(Huber { delta }) if !(delta as f32 > 0.0 && (delta as f32).is_finite()) => {
                ("delta", delta, "a finite number above 0")
            }
            _ => return None,
        };
        Some(format!("loss `{}`: `{setting}` is {value}, but must be {expected}", self.name()))
    }

    /// Whether every setting is the default.
    fn is_plain(&self) -> bool {
        match *self {
            Loss::Huber(settings) => settings == Huber::default(),
            _ => true,
        }
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
        let rows: [(Loss, &str, &[&str]); 6] = [
            (
                Loss::CategoricalCrossentropy,
                "loss = \"categorical_crossentropy\"\n",
                &[
                    "loss = \"sparse_categorical_crossentropy\"",
                    "loss = { name = \"categorical_crossentropy\" }",
                ],
            ),
            (Loss::BinaryCrossentropy, "loss = \"binary_crossentropy\"\n", &[]),
            (Loss::MeanSquaredError, "loss = \"mean_squared_error\"\n", &[]),
            (Loss::MeanAbsoluteError, "loss = \"mean_absolute_error\"\n", &[]),
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
        for delta in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-60] {
            let problem = Loss::from(Huber { delta }).problem();
            assert!(problem.is_some_and(|problem| problem.contains("loss `huber`: `delta` is")), "{delta}");
        }
        assert_eq!(Loss::from(Huber::default()).problem(), None);
    }
}
