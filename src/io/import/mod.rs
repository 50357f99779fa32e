//! Weights that somebody else trained: safetensors with the names and layouts of PyTorch or of Keras.
//!
//! | what | theirs | ours |
//! |---|---|---|
//! | names | `layer1.0.conv1.weight`, `conv1/kernel` | `layer1_0_conv1.kernel`, `conv1.kernel` |
//! | convolution | `weight` `[out, in, h, w]` | `kernel` `[h, w, in, out]` |
//! | convolution of each channel | `weight` `[channels * m, 1, h, w]` | `kernel` `[h, w, channels, m]` |
//! | transposed convolution | `weight` `[in, out, h, w]` | `kernel` `[h, w, out, in]` |
//! | fully connected | `weight` `[out, in]` | `kernel` `[in, out]` |
//! | the same behind a Flatten of images | `weight` `[out, c * h * w]` | `kernel` `[h * w * c, out]` |
//! | batch normalization | `weight`, `bias`, `running_mean`, `running_var` | `gamma`, `beta`, `moving_mean`, `moving_variance` |
//! | layer normalization | `weight`, `bias` | `gamma`, `beta` |
//!
//! A name is that of the layer once every dot and slash in it is an underscore. Other names a [`NameMap`] gives. What a layer has in
//! PyTorch, the layer says.

mod features;
mod file;
mod map;
mod names;

use std::path::Path;

use serde::Serialize;

pub use self::map::{AxisOrder, Import, LaidName, NameMap, TheirName};

use self::features::{Order, drawn, orders};
use self::file::WeightFile;
use self::names::{Match, Matching, matched};
use super::header::Tensor;
use super::read_weights;
use crate::device::{COPIES, check_host_memory};
use crate::error::{ImportError, OtherShape, WeightFileError};
use crate::layers::kit::Axes;
use crate::model::{Network, WeightTensor, Weights};

/// Weights of a model, and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The weights.
    pub weights: Weights,
    /// What was taken, in the order of the weights.
    pub taken: Vec<Taken>,
    /// Layers that keep their initial weights.
    pub fresh: Vec<String>,
    /// Tensors that were left out, beside those in which PyTorch counts batches.
    pub left_out: Vec<String>,
}

/// A tensor that became a weight.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Taken {
    /// Its name in the file.
    pub theirs: String,
    /// Its dimensions there.
    pub their_shape: Vec<usize>,
    /// What became of its axes.
    pub layout: String,
    /// The weight.
    pub ours: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
}

/// Reads the weights of a network from a file of any program; layers that begin anew get what they start with for `seed`.
///
/// A file of this crate, of which nothing special is said, is read as [`read_weights`] reads it.
///
/// # Errors
/// When the file is missing or damaged, when a name in the options stands for nothing, when a tensor has the name of a weight and another
/// shape, or when weights or tensors are left over.
pub fn import_weights(
    path: &Path,
    network: &Network,
    options: &Import,
    seed: u64,
) -> Result<Imported, ImportError> {
    let mut file = WeightFile::open(path)?;
    if file.is_ours && options.is_plain() {
        let weights = read_weights(path, network)?;
        let taken = weights.tensors().iter().map(|tensor| as_it_is(&tensor.name, &tensor.shape)).collect();
        return Ok(Imported { weights, taken, fresh: Vec::new(), left_out: Vec::new() });
    }
    let tensors = file.tensors.clone();
    let matching = matched(&file.name, &tensors, network, options)?;
    let orders = orders(network);
    let drawn = drawn(network, &orders);
    let mut taken = Vec::new();
    // Before what is left over: a layer of another size is the likelier reason.
    for one in &matching.matches {
        taken.push(checked(&file.name, &tensors[one.tensor], one, &orders, &drawn)?);
    }
    check_left(&file.name, &tensors, network, &matching)?;
    let mut given = Vec::new();
    for one in &matching.matches {
        let values = file.read(&tensors[one.tensor], one.spec.len())?;
        let turned = one.axes.turned(values, &one.spec.shape);
        let values = features_of(one, &orders).sorted(turned, row_of(one));
        given.push(WeightTensor { name: one.spec.name.clone(), shape: one.spec.shape.clone(), values });
    }
    if !options.fresh.is_empty() {
        let copies = network.parameter_count().saturating_mul(COPIES * size_of::<f32>());
        check_host_memory("the initial weights", copies)?;
        let initial = network.initial_weights(seed);
        let is_fresh = |tensor: &&WeightTensor| {
            options
                .fresh
                .iter()
                .any(|layer| tensor.name.strip_prefix(layer).is_some_and(|rest| rest.starts_with('.')))
        };
        given.extend(initial.tensors().iter().filter(is_fresh).cloned());
    }
    let mismatch = |problem| WeightFileError::Mismatch { file: file.name.clone(), problem };
    Ok(Imported {
        weights: Weights::new(network, given).map_err(mismatch)?,
        taken,
        fresh: options.fresh.clone(),
        left_out: matching.left_out.iter().map(|&at| tensors[at].name.clone()).collect(),
    })
}

fn as_it_is(name: &str, shape: &[usize]) -> Taken {
    let (theirs, ours) = (name.to_owned(), name.to_owned());
    Taken {
        theirs,
        their_shape: shape.to_vec(),
        layout: Axes::Same.letters().to_owned(),
        ours,
        shape: shape.to_vec(),
    }
}

/// What becomes of a tensor.
///
/// # Errors
/// When its shape is not that of the weight, or nothing says how its axes or its features lie.
fn checked(
    file: &str,
    tensor: &Tensor,
    one: &Match<'_>,
    orders: &[Order],
    drawn: &[usize],
) -> Result<Taken, ImportError> {
    let (file, theirs, ours) = (file.to_owned(), tensor.name.clone(), one.spec.name.clone());
    let features = features_of(one, orders);
    if one.order.is_none() && (one.axes != Axes::Same || *features != Order::Own) {
        return Err(ImportError::Layout { file, theirs, ours });
    }
    let expected = one.axes.theirs(&one.spec.shape).unwrap_or_else(|| one.spec.shape.clone());
    if tensor.shape != expected {
        let (layer, shape, found) = (one.layer.name.clone(), one.spec.shape.clone(), tensor.shape.clone());
        let other = OtherShape { file, theirs, found, ours, layer, shape, expected };
        return Err(ImportError::Shape(Box::new(other)));
    }
    if one.order != Some(AxisOrder::Keras) && drawn.contains(&one.layer.index) {
        return Err(ImportError::Features { file, theirs, layer: one.layer.name.clone() });
    }
    Ok(Taken {
        theirs,
        their_shape: expected,
        layout: said(one, features),
        ours,
        shape: one.spec.shape.clone(),
    })
}

/// What becomes of the axes, in letters.
fn said(one: &Match<'_>, features: &Order) -> String {
    match (features, one.axes) {
        (Order::Own, axes) => axes.letters().to_owned(),
        (_, Axes::Same) => "CHW -> HWC".to_owned(),
        (_, axes) => format!("{}, I: CHW -> HWC", axes.letters()),
    }
}

/// The order of the features that the first axis of a weight stands for, where its layer comes behind images.
fn features_of<'a>(one: &Match<'_>, orders: &'a [Order]) -> &'a Order {
    let is_of_torch = one.order != Some(AxisOrder::Keras);
    let at = match one.axes {
        Axes::Product => one.layer.sources.first().copied().flatten(),
        Axes::Same if one.layer.weights.iter().all(|weight| weight.shape.len() == 1) => Some(one.layer.index),
        _ => None,
    };
    at.filter(|_| is_of_torch).map_or(&Order::Own, |at| &orders[at])
}

/// Values of a weight for each of the features of its first axis.
fn row_of(one: &Match<'_>) -> usize {
    one.spec.shape.iter().skip(1).product()
}

/// Refuses weights without a tensor, and tensors without a weight.
fn check_left(
    file: &str,
    tensors: &[Tensor],
    network: &Network,
    matching: &Matching<'_>,
) -> Result<(), ImportError> {
    if matching.missing.is_empty() && matching.unused.is_empty() {
        return Ok(());
    }
    let said = |name: &str, shape: &[usize]| format!("`{name}` {shape:?}");
    Err(ImportError::Left {
        file: file.to_owned(),
        model: network.name.clone(),
        missing: matching.missing.iter().map(|spec| said(&spec.name, &spec.shape)).collect(),
        unused: matching.unused.iter().map(|&at| said(&tensors[at].name, &tensors[at].shape)).collect(),
    })
}

#[cfg(test)]
mod tests;
