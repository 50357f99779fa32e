//! Layers that take weights from the data before training.

use super::model::Model;
use crate::data::Dataset;
use crate::error::Error;
use crate::executor::check_data;
use crate::layers::{Initializer, WeightTensor};
use crate::model::{ModelError, Network, NetworkLayer, Weights};

impl Model {
    /// Adapts every [`Normalization`](crate::model::Normalization) without a mean and variance of its own to these samples: it takes
    /// theirs, computed on the host in f64, sample by sample. [`fit`](Self::fit) does so with its training samples, for layers that hold
    /// what they start with.
    ///
    /// # Errors
    /// When the data does not fit the model, or such a layer stands behind one that the host does not compute.
    pub fn adapt(&mut self, data: &Dataset) -> Result<(), Error> {
        let layers = self.network.layers.iter().filter(|layer| layer.layer.adapts());
        let layers = layers.map(|layer| layer.index).collect();
        self.adapt_layers(layers, data)
    }

    /// Adapts the layers that did not yet.
    pub(super) fn adapt_fresh(&mut self, data: &Dataset) -> Result<(), Error> {
        if !self.network.layers.iter().any(|layer| layer.layer.adapts()) {
            return Ok(());
        }
        let weights = self.weights()?;
        let layers =
            self.network.layers.iter().filter(|layer| layer.layer.adapts() && is_fresh(layer, &weights));
        let layers = layers.map(|layer| layer.index).collect();
        self.adapt_layers(layers, data)
    }

    fn adapt_layers(&mut self, layers: Vec<usize>, data: &Dataset) -> Result<(), Error> {
        if layers.is_empty() {
            return Ok(());
        }
        check_data(&self.network, data)?;
        let mut tensors = self.weights()?.tensors().to_vec();
        for at in layers {
            let layer = &self.network.layers[at];
            let fails = |problem: String| {
                let (layer, class) = (layer.name.clone(), layer.class());
                ModelError::Layer { index: at, layer, class, problem }
            };
            let before = before(&self.network, layer).map_err(fails)?;
            let samples = |each: &mut dyn FnMut(&[f32])| each_sample(&self.network, &before, data, each);
            for (what, values) in layer.layer.adapt(&layer.place(), &samples).map_err(fails)? {
                set(&mut tensors, &layer.place().weight(what), values);
            }
            log::info!("{}: adapted to {} samples", layer.name, data.len());
        }
        self.set_weights(Weights::new(&self.network, tensors)?)
    }
}

fn set(tensors: &mut [WeightTensor], name: &str, values: Vec<f32>) {
    if let Some(tensor) = tensors.iter_mut().find(|tensor| tensor.name == name) {
        tensor.values = values;
    }
}

/// Whether the weights of a layer are what they start with.
fn is_fresh(layer: &NetworkLayer, weights: &Weights) -> bool {
    layer.weights.iter().all(|spec| {
        let start = if spec.initializer == Initializer::Ones { 1.0 } else { 0.0 };
        weights.get(&spec.name).is_some_and(|tensor| tensor.values.iter().all(|&value| value == start))
    })
}

/// The layers between the model's input and this one, in order.
fn before<'a>(network: &'a Network, layer: &NetworkLayer) -> Result<Vec<&'a NetworkLayer>, String> {
    let mut layers = Vec::new();
    let mut source = layer.sources.first().copied().flatten();
    while let Some(at) = source {
        let layer = &network.layers[at];
        let zeros = vec![0.0; layer.inputs.first().map_or(0, |input| input.len())];
        if layer.sources.len() != 1 || layer.layer.on_host(&layer.place(), zeros).is_none() {
            return Err(format!(
                "it takes mean and variance from the data before training, but its input is computed by `{}` ({}); \
                 move it before that layer, or give it `mean` and `variance`",
                layer.name,
                layer.class()
            ));
        }
        layers.insert(0, layer);
        source = layer.sources[0];
    }
    Ok(layers)
}

/// Calls `each` with what these layers make of one sample after the other.
fn each_sample(network: &Network, layers: &[&NetworkLayer], data: &Dataset, each: &mut dyn FnMut(&[f32])) {
    let (table, len) = (network.byte_table(), network.input_shape.len());
    let of_bytes = data.images().chunks_exact(len);
    let of_bytes = of_bytes.map(|bytes| bytes.iter().map(|&byte| table[usize::from(byte)]).collect());
    // Of a data set one of them is empty.
    for sample in of_bytes.chain(data.values().chunks_exact(len).map(<[f32]>::to_vec)) {
        let through = |sample: Option<Vec<f32>>, layer: &&NetworkLayer| {
            sample.and_then(|sample| layer.layer.on_host(&layer.place(), sample))
        };
        // Every layer was asked before whether it can.
        if let Some(sample) = layers.iter().fold(Some(sample), through) {
            each(&sample);
        }
    }
}
