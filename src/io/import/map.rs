//! What may be said of somebody else's weights: their names, where these do not tell, and what is not taken.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::error::ImportError;
use crate::files;
use crate::model::with_suggestion;

/// How somebody else's weights become those of a model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Import {
    /// Their names, where a rule does not give them.
    pub map: NameMap,
    /// Layers that keep their initial weights, whatever the file has of them.
    pub fresh: Vec<String>,
    /// Tensors and modules that are left out.
    pub ignore: Vec<String>,
}

impl Import {
    /// Whether nothing is said.
    pub(super) fn is_plain(&self) -> bool {
        *self == Import::default()
    }
}

/// A file of names, or what such a file says.
///
/// ```toml
/// prefix = "module."                      # what all of their names begin with
///
/// [names]
/// head = "classifier.1"                   # a layer: the tensors of this module
/// "block.depthwise_kernel" = "dw.weight"  # one weight
/// "head.kernel" = { name = "classifier.1.w", layout = "pytorch" }
/// ```
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameMap {
    /// What is cut off their names, of those that begin with it; default nothing.
    #[serde(default)]
    pub prefix: String,
    /// Their names for our layers and weights.
    #[serde(default)]
    pub names: BTreeMap<String, TheirName>,
}

/// Somebody else's name for a layer or a weight.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    untagged,
    expecting = "a name is a text, or a table { name = \"...\", layout = \"pytorch\" } with the layout `pytorch` or `keras`"
)]
pub enum TheirName {
    /// Of a module or a tensor.
    Name(String),
    /// The same, and whose order its axes have.
    Laid(LaidName),
}

/// The name of a module or a tensor, and whose order its axes have.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaidName {
    /// The name.
    pub name: String,
    /// Whose order the axes have.
    pub layout: AxisOrder,
}

/// Whose order the axes of a tensor have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AxisOrder {
    /// That of Keras, which is ours.
    Keras,
    /// That of PyTorch.
    PyTorch,
}

impl TheirName {
    pub(super) fn name(&self) -> &str {
        match self {
            TheirName::Name(name) | TheirName::Laid(LaidName { name, .. }) => name,
        }
    }

    pub(super) fn order(&self) -> Option<AxisOrder> {
        match self {
            TheirName::Name(_) => None,
            TheirName::Laid(laid) => Some(laid.layout),
        }
    }
}

impl NameMap {
    /// Reads a file of names.
    ///
    /// # Errors
    /// When it cannot be read, is not TOML, or has an unknown key.
    pub fn read(path: &Path) -> Result<Self, ImportError> {
        let file = path.display().to_string();
        let fail = |problem| ImportError::Map { file: file.clone(), problem };
        let text = files::read_text(path).map_err(|error| fail(format!("cannot be read: {error}")))?;
        toml::from_str(&text).map_err(|error| fail(with_suggestion(&error.to_string())))
    }
}
