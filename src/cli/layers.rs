//! `shadegrad layers`.

use super::output::Output;
use super::table::{Align, render};
use crate::model::Layer;

/// List the layers that a model file may have, and their settings
#[derive(Debug, clap::Args)]
pub struct LayersArgs {
    /// Print one JSON object instead: for each class the stem of its default names, and the settings of its Keras
    /// class
    #[arg(long)]
    json: bool,
}

/// Lists the layers.
pub fn run(args: &LayersArgs, output: &mut Output) -> anyhow::Result<()> {
    let table = Layer::table();
    if args.json {
        let object: serde_json::Map<String, serde_json::Value> = table
            .into_iter()
            .map(|(class, stem, settings)| {
                (class.to_owned(), serde_json::json!({ "stem": stem, "settings": settings }))
            })
            .collect();
        return output.line(serde_json::to_string_pretty(&object)?);
    }
    let headings =
        [("Type", Align::Left), ("Default name", Align::Left), ("Settings as in Keras", Align::Left)];
    let rows: Vec<[String; 3]> = table
        .into_iter()
        .map(|(class, stem, settings)| [class.to_owned(), stem.to_owned(), settings.join(", ")])
        .collect();
    output.line(render(headings, &rows))
}
