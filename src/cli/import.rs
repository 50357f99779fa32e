//! `shadegrad import`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::args::{ModelSource, seed};
use super::init::ImportArgs;
use super::output::Output;
use super::table::{Align, render};
use crate::io::destination::Destination;
use crate::io::import::Imported;
use crate::io::run::weights_metadata;
use crate::io::weights_to_bytes;
use crate::model::{bytes, thousands};

/// Turn weights of PyTorch or Keras into those of a model
///
/// Prints which tensor became which weight. It is an error if the file lacks a weight of the model, unless --fresh
/// names its layer, and if the model has no place for a tensor, unless --ignore names it.
#[derive(Debug, clap::Args)]
pub struct ImportCommand {
    /// The file of weights, with tensors of type F32, F16 or BF16
    #[arg(value_name = "WEIGHTS.safetensors")]
    weights: PathBuf,
    /// The model: the embedded `tutorial` or a model file
    #[arg(long, value_name = "tutorial|FILE.toml")]
    model: ModelSource,
    /// The file to write, or `-` for standard output; by default only the table is printed
    #[arg(long, value_name = "FILE.safetensors")]
    out: Option<PathBuf>,
    #[command(flatten)]
    import: ImportArgs,
    /// The seed of the initial weights of the layers that --fresh names
    #[arg(long, value_name = "N", default_value = "0", value_parser = seed, allow_negative_numbers = true)]
    seed: u64,
    /// Replace the file if it exists; pipes and devices are never replaced
    #[arg(long, requires = "out")]
    force: bool,
    /// Print one JSON object instead
    #[arg(long)]
    json: bool,
}

/// Reads the weights, prints what became of them, and writes the whole file or nothing.
pub fn run(args: &ImportCommand, output: &mut Output) -> anyhow::Result<()> {
    let file = args.model.read()?;
    let network = file.model.network()?;
    let place = args.place()?;
    if place.as_ref().is_some_and(Destination::is_stdout) {
        output.step_aside();
    }
    let imported = args.import.read(&args.weights, &network, args.seed)?;
    let written = match &place {
        Some(place) => {
            let written = weights_to_bytes(&imported.weights, &weights_metadata(&file.model.name))?;
            place.write(&written)?;
            Some(written.len())
        }
        None => None,
    };
    if args.json {
        return output.line(serde_json::to_string(&as_json(&imported))?);
    }
    output.line(table(&imported))?;
    for (what, names) in [("Initial weights", &imported.fresh), ("Left out", &imported.left_out)] {
        if !names.is_empty() {
            output.line(format_args!("{what}: {}", names.join(", ")))?;
        }
    }
    let values: usize = imported.taken.iter().map(|taken| taken.shape.iter().product::<usize>()).sum();
    output.line(format_args!(
        "Took {} of {} weights",
        thousands(values),
        thousands(network.parameter_count())
    ))?;
    match (&place, written) {
        (Some(place), Some(len)) => output.line(format_args!("Wrote {place}: {}", bytes(len))),
        _ => Ok(()),
    }
}

impl ImportCommand {
    fn place(&self) -> anyhow::Result<Option<Destination>> {
        let Some(path) = &self.out else { return Ok(None) };
        let place = Destination::new(path, Path::new(""), "start.safetensors")?;
        place.check_free(self.force)?;
        Ok(Some(place))
    }
}

fn table(imported: &Imported) -> String {
    let headings = ["Theirs", "Shape", "Layout", "Ours", "Shape"].map(|heading| (heading, Align::Left));
    let rows: Vec<[String; 5]> = imported
        .taken
        .iter()
        .map(|taken| {
            let [their_shape, shape] = [&taken.their_shape, &taken.shape].map(|shape| format!("{shape:?}"));
            [taken.theirs.clone(), their_shape, taken.layout.clone(), taken.ours.clone(), shape]
        })
        .collect();
    render(headings, &rows)
}

fn as_json(imported: &Imported) -> BTreeMap<&str, serde_json::Value> {
    let Imported { taken, fresh, left_out, .. } = imported;
    [
        ("taken", serde_json::json!(taken)),
        ("fresh", serde_json::json!(fresh)),
        ("left_out", serde_json::json!(left_out)),
    ]
    .into_iter()
    .collect()
}
