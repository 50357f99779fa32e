//! Where a model begins: the flags of commands that train or import.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::output::note;
use super::path_text::shell_word;
use crate::io::ModelFile;
use crate::io::import::{Import, Imported, NameMap, import_weights};
use crate::model::{Network, NetworkLayer, Weights, nearest};

/// Stands for all layers, or for all whose names begin so.
const ANY: char = '*';
/// Stands for all layers.
const ALL: &str = "all";

/// Which weights of a file are which.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// A TOML file that says which tensor is which weight where the names do not tell: a key `prefix` and a table
    /// [names] (docs/import.md)
    #[arg(long, value_name = "MAP.toml")]
    map: Option<PathBuf>,
    /// Layers that keep their initial weights, even if the file has weights for them, such as a last layer for another
    /// number of classes; `head_*` stands for all layers whose names begin with head_
    #[arg(long, value_name = "LAYER,...", visible_alias = "allow-missing", value_delimiter = ',')]
    fresh: Vec<String>,
    /// Tensors of the file that are not used, or whole modules
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    ignore: Vec<String>,
}

impl ImportArgs {
    /// Reads weights for a model.
    pub fn read(&self, path: &Path, network: &Network, seed: u64) -> anyhow::Result<Imported> {
        let map = self.map.as_deref().map(NameMap::read).transpose()?.unwrap_or_default();
        let has_weights = |layer: &NetworkLayer| !layer.weights.is_empty();
        let fresh = chosen("--fresh", &self.fresh, network, has_weights)?;
        let fresh = fresh.into_iter().map(|at| network.layers[at].name.clone()).collect();
        let options = Import { map, fresh, ignore: self.ignore.clone() };
        Ok(import_weights(path, network, &options, seed)?)
    }

    /// The flags, with words of a shell.
    fn words(&self) -> Vec<(&'static str, String)> {
        let map = self.map.as_deref().map(|path| ("--map", shell_word(path)));
        map.into_iter().chain(list("--fresh", &self.fresh)).chain(list("--ignore", &self.ignore)).collect()
    }
}

/// `--init` and which weights of its file are which.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// Start from the weights in this file, with the names and layouts of Keras or of PyTorch (docs/import.md); by
    /// default initial weights are drawn by --seed
    #[arg(long, value_name = "FILE.safetensors")]
    pub init: Option<PathBuf>,
    #[command(flatten)]
    import: ImportArgs,
}

impl InitArgs {
    /// The initial weights, if a file of them was given; layers that begin anew are initialised with this seed.
    pub fn weights(&self, network: &Network, seed: u64) -> anyhow::Result<Option<Weights>> {
        let Some(path) = &self.init else {
            return match self.import.words().first() {
                Some((flag, _)) => {
                    bail!("{flag} says how the file of --init is read, and needs it: --init FILE.safetensors")
                }
                None => Ok(None),
            };
        };
        let imported = self.import.read(path, network, seed)?;
        let list = |what: &str, names: &[String]| match names {
            [] => String::new(),
            names => format!("; {what}: {}", names.join(", ")),
        };
        note(format_args!(
            "Initial weights: {} of {} from {}{}{}",
            imported.taken.len(),
            imported.weights.tensors().len(),
            path.display(),
            list("fresh layers", &imported.fresh),
            list("left out", &imported.left_out)
        ));
        Ok(Some(imported.weights))
    }

    /// The flags, with words of a shell.
    pub fn words(&self) -> Vec<(&'static str, String)> {
        let init = self.init.as_deref().map(|path| ("--init", shell_word(path)));
        init.into_iter().chain(self.import.words()).collect()
    }
}

/// `--trainable`.
#[derive(Debug, clap::Args)]
pub struct TrainableArg {
    /// Train only these layers, or `all`, whatever the model file says; `layer4_*` stands for all layers whose names
    /// begin with layer4_
    #[arg(long, value_name = "all|LAYER,...", value_delimiter = ',')]
    trainable: Vec<String>,
}

impl TrainableArg {
    /// Sets which layers of a model are trained.
    ///
    /// # Errors
    /// When a name is none of a layer with weights.
    pub fn apply(&self, file: &mut ModelFile) -> anyhow::Result<()> {
        if self.trainable.is_empty() {
            return Ok(());
        }
        let all = self.trainable == [ALL];
        // A model none of whose layers is trained has no network.
        file.model.layers.iter_mut().for_each(|node| node.trainable = true);
        let network = file.model.network()?;
        // One without gamma and beta takes the statistics of batches only where it is trained.
        let has_weights = |layer: &NetworkLayer| {
            layer.weights.iter().any(|weight| weight.trainable || layer.class() == "BatchNormalization")
        };
        let chosen =
            if all { Vec::new() } else { chosen("--trainable", &self.trainable, &network, has_weights)? };
        for (at, node) in file.model.layers.iter_mut().enumerate() {
            // What has no weights stays unsaid.
            node.trainable = all || chosen.contains(&at) || !has_weights(&network.layers[at]);
        }
        Ok(())
    }

    /// The flag, with a word of a shell.
    pub fn words(&self) -> Option<(&'static str, String)> {
        list("--trainable", &self.trainable)
    }
}

/// A flag with a list of names, if there are any.
fn list(flag: &'static str, names: &[String]) -> Option<(&'static str, String)> {
    (!names.is_empty()).then(|| (flag, shell_word(names.join(",").as_ref())))
}

/// The layers that a flag names.
///
/// # Errors
/// When a name is none of a layer that fits.
fn chosen(
    flag: &str,
    names: &[String],
    network: &Network,
    fits: impl Fn(&NetworkLayer) -> bool,
) -> anyhow::Result<Vec<usize>> {
    let mut chosen = Vec::new();
    for name in names {
        let fitting = network.layers.iter().filter(|layer| fits(layer));
        let is_named = |layer: &&NetworkLayer| match name.strip_suffix(ANY) {
            Some(start) => layer.name.starts_with(start),
            None => layer.name == *name,
        };
        let found: Vec<usize> = fitting.clone().filter(is_named).map(|layer| layer.index).collect();
        if found.is_empty() {
            let near = nearest(name, fitting.map(|layer| layer.name.as_str()));
            let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
            bail!("{flag} names `{name}`, but the model has no such layer with weights{near}");
        }
        chosen.extend(found);
    }
    Ok(chosen)
}
