//! Whether a model fits a data set, and the lines of its file to change where it does not.

use std::path::Path;

use anyhow::bail;

use super::args::{DataSource, ModelSource};
use super::go_on::program;
use super::layout::LayoutArgs;
use super::path_text::shell_word;
use crate::data::{Dataset, TargetKind};
use crate::executor::check_data;
use crate::model::Network;
use crate::train::FitOptions;

/// Units of the hidden layer of the model that is suggested.
const UNITS: usize = 64;
/// Steps that it is trained for at least, if these are no more epochs than `MOST_EPOCHS`.
const STEPS: usize = 2000;
const MOST_EPOCHS: usize = 200;

/// Refuses a model that takes other samples than those of the data set, or gives other outputs, with all lines to change at once.
///
/// # Errors
/// When shapes or kinds of targets differ. What is left, numbers of classes, the executor refuses.
pub fn check_fits(
    model: Option<&ModelSource>,
    (source, layout): (&DataSource, &LayoutArgs),
    network: &Network,
    data: &Dataset,
) -> anyhow::Result<()> {
    let is_values = data.target() == TargetKind::Values && network.target != TargetKind::Values;
    let other_target = is_values && data.values_as(network.target, network.classes()).is_none();
    if data.shape() == network.input_shape && !other_target {
        return Ok(());
    }
    if matches!(model, None | Some(ModelSource::Tutorial)) && data.shape().image().is_none() {
        let file = format!("{}.toml", name(source));
        let flags: String = layout.words().iter().map(|word| format!(" {word}")).collect();
        bail!(
            "the data set has rows of {} numbers, which the embedded model does not take; write a model file, such as \
             `{file}`:\n\n{}\nand train it: {} train --model {} --data {}{flags}",
            data.shape().len(),
            small_model(&name(source), data),
            program(),
            shell_word(Path::new(&file)),
            shell_word(&source.as_argument())
        );
    }
    let lines = lines(network, data, other_target).join("\n    ");
    let from_one = other_target && data.values_as(TargetKind::Classes, network.classes() + 1).is_some();
    let or = if from_one { "\nor, if the first class is labelled 1, give --first-label 1" } else { "" };
    let problem = match check_data(network, data) {
        Err(error) => error.to_string(),
        Ok(()) => "the data set does not fit the model".to_owned(),
    };
    bail!("{problem}\nlines of the model file that fit the data:\n    {lines}{or}")
}

/// The lines of the model file that fit the data and are not there.
fn lines(network: &Network, data: &Dataset, other_target: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if data.shape() != network.input_shape {
        lines.push(format!("input_shape = {}", data.shape()));
    }
    if other_target {
        lines.push("target = \"values\"".to_owned());
        lines.push("loss = \"mean_squared_error\"".to_owned());
    }
    let outputs = data.classes();
    let fits = match (data.target(), network.target) {
        // The classes of images that have another shape are others, too.
        (TargetKind::Classes, TargetKind::Classes) => {
            outputs == network.classes() || outputs < network.classes() && data.shape() == network.input_shape
        }
        (TargetKind::Classes, TargetKind::Values) => network.outputs() == 1 || network.outputs() >= outputs,
        _ => outputs == network.outputs(),
    };
    if !fits {
        lines.push(format!("units = {outputs} # of the last layer"));
    }
    if other_target {
        lines.push("activation = \"linear\" # of the last layer".to_owned());
    }
    lines
}

/// A model file for rows of numbers.
fn small_model(name: &str, data: &Dataset) -> String {
    let (target, loss, activation) = match data.target() {
        TargetKind::Classes => ("classes", "categorical_crossentropy", "softmax"),
        TargetKind::MultiLabel => ("multi_label", "binary_crossentropy", "sigmoid"),
        TargetKind::Values => ("values", "mean_squared_error", "linear"),
    };
    let mut layers = Vec::new();
    if data.form().values {
        layers.push("type = \"Normalization\"".to_owned());
    }
    layers.push(format!("type = \"Dense\"\nunits = {UNITS}\nactivation = \"relu\""));
    layers.push(format!("type = \"Dense\"\nunits = {}\nactivation = \"{activation}\"", data.classes()));
    layers.extend(to_the_scale_of_targets(data));
    let layers: String = layers.iter().map(|layer| format!("\n[[layers]]\n{layer}\n")).collect();
    let epochs = (STEPS / data.len().div_ceil(FitOptions::default().batch_size)).clamp(5, MOST_EPOCHS);
    format!(
        "name = {name:?}\ninput_shape = {}\ntarget = \"{target}\"\nloss = \"{loss}\"\n\n[training]\nepochs = {epochs}\n{layers}",
        data.shape(),
    )
}

/// A layer that brings outputs to the mean and the variance of targets that are numbers: from those of a new model, near 0, to prices there
/// are many small steps.
fn to_the_scale_of_targets(data: &Dataset) -> Option<String> {
    if data.target() != TargetKind::Values {
        return None;
    }
    let (columns, n) = (data.classes(), data.len() as f64);
    let of_column = |column: usize| {
        let values =
            || data.target_rows().iter().skip(column).step_by(columns).map(|&value| f64::from(value));
        let mean = values().sum::<f64>() / n;
        (mean, values().map(|value| (value - mean).powi(2)).sum::<f64>() / n)
    };
    let (means, variances): (Vec<f64>, Vec<f64>) = (0..columns).map(of_column).unzip();
    // Numbers so large that f32 does not hold their squares have no such layer.
    if variances.iter().any(|&variance| !(variance as f32).is_finite()) {
        return None;
    }
    let list = |values: &[f64]| {
        values.iter().map(|value| format!("{:?}", *value as f32)).collect::<Vec<_>>().join(", ")
    };
    Some(format!(
        "type = \"Normalization\"\ninvert = true\nmean = [{}]\nvariance = [{}]",
        list(&means),
        list(&variances)
    ))
}

/// What a model of this data may be called: the name of its file or folder, of letters, digits, - and _.
fn name(source: &DataSource) -> String {
    let path = source.as_argument();
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let kept = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' };
    let name: String = stem.chars().map(kept).collect();
    if name.chars().any(|c| c.is_ascii_alphanumeric()) { name } else { "numbers".to_owned() }
}
