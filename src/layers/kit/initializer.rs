//! How weights start, as a value: what a layer's `kernel_initializer` and `bias_initializer` are.

use std::fmt::Formatter;

use crate::numbers::shown;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

/// How a weight tensor starts, with the names and defaults of Keras.
///
/// In a model file it is its name, or a table of its name and its settings:
///
/// ```toml
/// kernel_initializer = "he_normal"
/// kernel_initializer = { name = "random_normal", stddev = 0.1 }
/// ```
///
/// In a program:
///
/// ```
/// use shadegrad::model::{Dense, Initializer};
///
/// let layer = Dense::new(10).kernel_initializer(Initializer::RandomNormal { mean: 0.0, stddev: 0.1 });
/// # let _ = layer;
/// ```
///
/// The fans of a tensor `[.., a, b]` are `fan_in = r*a` and `fan_out = r*b`, r the product of the dimensions before: inputs that
/// reach one output, outputs that one input reaches. Those of `[n]` are both n. Truncated normal numbers further than two
/// standard deviations from their mean are drawn again.
///
/// Source: `keras/src/initializers/constant_initializers.py` and `random_initializers.py`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Initializer {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// All the same.
    Constant {
        /// The number; default 0.
        value: f64,
    },
    /// Normal.
    RandomNormal {
        /// Mean; default 0.
        mean: f64,
        /// Standard deviation; default 0.05.
        stddev: f64,
    },
    /// Uniform in `[minval, maxval)`, up to the rounding to f32.
    RandomUniform {
        /// The least value; default -0.05.
        minval: f64,
        /// The upper limit, which is not reached; default 0.05.
        maxval: f64,
    },
    /// Normal, truncated.
    TruncatedNormal {
        /// Mean; default 0.
        mean: f64,
        /// Standard deviation before the truncation; default 0.05.
        stddev: f64,
    },
    /// Uniform in `[-limit, limit)`, `limit = sqrt(6 / (fan_in + fan_out))`. Source: Glorot and Bengio 2010.
    #[default]
    GlorotUniform,
    /// Normal, truncated, then of standard deviation `sqrt(2 / (fan_in + fan_out))`. Source: Glorot and Bengio 2010.
    GlorotNormal,
    /// Uniform in `[-limit, limit)`, `limit = sqrt(6 / fan_in)`. Source: He and others, arXiv:1502.01852.
    HeUniform,
    /// Normal, truncated, then of standard deviation `sqrt(2 / fan_in)`. Source: He and others, arXiv:1502.01852.
    HeNormal,
    /// Uniform in `[-limit, limit)`, `limit = sqrt(3 / fan_in)`. Source: Klambauer and others, arXiv:1706.02515.
    LecunUniform,
    /// Normal, truncated, then of standard deviation `sqrt(1 / fan_in)`. Source: Klambauer and others, arXiv:1706.02515.
    LecunNormal,
    /// Of a tensor `[.., b]` as a matrix of b columns: the columns, or the rows where there are fewer, are at right angles and of
    /// length `gain`; any directions are equally likely. Needs two dimensions or more. Source: Saxe and others, arXiv:1312.6120.
    Orthogonal {
        /// Length of columns or rows; default 1.
        gain: f64,
    },
}

/// Standard deviations and ends of intervals, where none are given.
const SPREAD: f64 = 0.05;

impl Initializer {
    /// Every one, with the settings that it has by default.
    pub const ALL: [Initializer; 13] = [
        Initializer::Zeros,
        Initializer::Ones,
        Initializer::Constant { value: 0.0 },
        Initializer::RandomNormal { mean: 0.0, stddev: SPREAD },
        Initializer::RandomUniform { minval: -SPREAD, maxval: SPREAD },
        Initializer::TruncatedNormal { mean: 0.0, stddev: SPREAD },
        Initializer::GlorotUniform,
        Initializer::GlorotNormal,
        Initializer::HeUniform,
        Initializer::HeNormal,
        Initializer::LecunUniform,
        Initializer::LecunNormal,
        Initializer::Orthogonal { gain: 1.0 },
    ];

    /// The one of this name with the settings that Keras gives it by default; `None` for an unknown name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|initializer| initializer.name() == name)
    }

    /// The name in files and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Initializer::Zeros => "zeros",
            Initializer::Ones => "ones",
            Initializer::Constant { .. } => "constant",
            Initializer::RandomNormal { .. } => "random_normal",
            Initializer::RandomUniform { .. } => "random_uniform",
            Initializer::TruncatedNormal { .. } => "truncated_normal",
            Initializer::GlorotUniform => "glorot_uniform",
            Initializer::GlorotNormal => "glorot_normal",
            Initializer::HeUniform => "he_uniform",
            Initializer::HeNormal => "he_normal",
            Initializer::LecunUniform => "lecun_uniform",
            Initializer::LecunNormal => "lecun_normal",
            Initializer::Orthogonal { .. } => "orthogonal",
        }
    }

    /// Its settings, by the names that Keras gives them.
    fn settings(&mut self) -> Vec<(&'static str, &mut f64)> {
        match self {
            Initializer::Constant { value } => vec![("value", value)],
            Initializer::RandomNormal { mean, stddev } | Initializer::TruncatedNormal { mean, stddev } => {
                vec![("mean", mean), ("stddev", stddev)]
            }
            Initializer::RandomUniform { minval, maxval } => vec![("minval", minval), ("maxval", maxval)],
            Initializer::Orthogonal { gain } => vec![("gain", gain)],
            _ => Vec::new(),
        }
    }

    /// What is wrong with its settings, or with a tensor of this shape, if anything is.
    pub(crate) fn problem(mut self, shape: &[usize]) -> Option<String> {
        let name = self.name();
        for (setting, value) in self.settings() {
            let least = if setting == "stddev" { 0.0 } else { f64::NEG_INFINITY };
            if !(*value >= least && (*value as f32).is_finite()) {
                let expected = if setting == "stddev" { " of at least 0" } else { "" };
                return Some(format!(
                    "{setting} of {name} is {}, but must be a number{expected} that a 32-bit float can hold",
                    shown(*value)
                ));
            }
        }
        match self {
            Initializer::RandomUniform { minval, maxval } if minval > maxval => Some(format!(
                "minval of {name} is {}, but must be at most maxval, {}",
                shown(minval),
                shown(maxval)
            )),
            Initializer::Orthogonal { .. } if shape.len() < 2 => Some(format!(
                "{name} needs two dimensions or more, but the shape is {shape:?}; choose another"
            )),
            _ => None,
        }
    }

    /// Whether it is what kernels have by default.
    pub(crate) fn is_glorot_uniform(&self) -> bool {
        *self == Initializer::GlorotUniform
    }

    /// Whether it is what biases have by default.
    pub(crate) fn is_zeros(&self) -> bool {
        *self == Initializer::Zeros
    }

    /// Whether it is what factors have by default.
    pub(crate) fn is_ones(&self) -> bool {
        *self == Initializer::Ones
    }

    /// What factors have by default.
    pub(crate) fn ones() -> Self {
        Initializer::Ones
    }

    /// What biases have by default.
    pub(crate) fn zeros() -> Self {
        Initializer::Zeros
    }
}

/// A name where every setting is the default, else a table.
impl Serialize for Initializer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut initializer = *self;
        if Self::named(self.name()) == Some(initializer) {
            return serializer.serialize_str(self.name());
        }
        let mut table = serializer.serialize_map(None)?;
        table.serialize_entry("name", self.name())?;
        for (setting, value) in initializer.settings() {
            table.serialize_entry(setting, value)?;
        }
        table.end()
    }
}

impl<'de> Deserialize<'de> for Initializer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrTable)
    }
}

struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = Initializer;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the name of an initializer, or a table of its `name` and settings")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Initializer, E> {
        let names = Initializer::ALL.map(|known| format!("`{}`", known.name())).join(", ");
        let unknown = || E::custom(format!("unknown variant `{name}`, expected one of {names}"));
        Initializer::named(name).ok_or_else(unknown)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Initializer, A::Error> {
        let (mut name, mut given) = (None, Vec::new());
        while let Some(key) = table.next_key::<String>()? {
            if key == "name" {
                name = Some(table.next_value::<String>()?);
            } else {
                given.push((key, table.next_value::<f64>()?));
            }
        }
        let name = name.ok_or_else(|| A::Error::missing_field("name"))?;
        let mut initializer = self.visit_str::<A::Error>(&name)?;
        for (key, value) in given {
            let mut settings = initializer.settings();
            let known: Vec<_> = settings.iter().map(|(setting, _)| format!("`{setting}`")).collect();
            let Some((_, place)) = settings.iter_mut().find(|(setting, _)| *setting == key) else {
                let known = if known.is_empty() { "no setting".to_owned() } else { known.join(" or ") };
                return Err(A::Error::custom(format!("unknown field `{key}` of {name}, expected {known}")));
            };
            **place = value;
        }
        Ok(initializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct File {
        start: Initializer,
    }

    #[test]
    fn an_initializer_is_its_name_or_a_table() {
        for start in Initializer::ALL {
            let text = format!("start = \"{}\"\n", start.name());
            assert_eq!(toml::to_string(&File { start }), Ok(text.clone()));
            assert_eq!(toml::from_str(&text), Ok(File { start }));
            let table = format!("start = {{ name = \"{}\" }}", start.name());
            assert_eq!(toml::from_str(&table), Ok(File { start }));
        }
        let normal = Initializer::RandomNormal { mean: 0.0, stddev: 0.1 };
        let rows = [
            (normal, "{ stddev = 0.1, name = \"random_normal\" }"),
            (Initializer::Constant { value: 2.0 }, "{ name = \"constant\", value = 2 }"),
            (
                Initializer::RandomUniform { minval: -0.05, maxval: 0.5 },
                "{ name = \"random_uniform\", maxval = 0.5 }",
            ),
        ];
        for (start, text) in rows {
            assert_eq!(toml::from_str(&format!("start = {text}")), Ok(File { start }), "{text}");
            let written = toml::to_string(&File { start }).unwrap();
            assert_eq!(toml::from_str(&written), Ok(File { start }), "{written}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let rows = [
            ("\"he_norml\"", "unknown variant `he_norml`, expected one of `zeros`, `ones`"),
            ("{ stddev = 1 }", "missing field `name`"),
            ("{ name = \"zeros\", value = 1 }", "unknown field `value` of zeros, expected no setting"),
            (
                "{ name = \"random_normal\", std = 1 }",
                "unknown field `std` of random_normal, expected `mean` or `stddev`",
            ),
            ("{ name = \"orthogonal\", gain = \"1\" }", "expected f64"),
            ("3", "the name of an initializer, or a table"),
        ];
        for (text, expected) in rows {
            let message = toml::from_str::<File>(&format!("start = {text}")).unwrap_err().to_string();
            assert!(message.contains(expected), "{message} lacks {expected}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let normal = |stddev| Initializer::RandomNormal { mean: 0.0, stddev };
        let uniform = |minval, maxval| Initializer::RandomUniform { minval, maxval };
        let rows: [(Initializer, &[usize], Option<&str>); 8] = [
            (normal(0.0), &[3], None),
            (normal(-0.1), &[3], Some("stddev of random_normal is -0.1")),
            (normal(f64::NAN), &[3], Some("stddev of random_normal is NaN")),
            (Initializer::Constant { value: 1e39 }, &[3], Some("value of constant")),
            (uniform(1.0, 1.0), &[3], None),
            (uniform(1.0, 0.5), &[3], Some("minval of random_uniform is 1, but must be at most maxval, 0.5")),
            (Initializer::Orthogonal { gain: 1.0 }, &[3, 2], None),
            (Initializer::Orthogonal { gain: 1.0 }, &[3], Some("needs two dimensions or more")),
        ];
        for (initializer, shape, expected) in rows {
            let problem = initializer.problem(shape);
            let right = match (&problem, expected) {
                (Some(problem), Some(expected)) => problem.contains(expected),
                (None, None) => true,
                _ => false,
            };
            assert!(right, "{initializer:?} for {shape:?}: {problem:?}");
        }
    }
}
