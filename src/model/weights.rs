//! Weights on the host: named tensors in the order of the layers.

use sha2::{Digest, Sha256};

use super::{ModelError, Network};
use crate::layers::WeightTensor;

/// The weights of a model, tensor by tensor, in the order and layout of [`Network::weights`].
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    tensors: Vec<WeightTensor>,
}

impl Weights {
    /// Refuses the weights of another network, by the first tensor that differs in name or shape.
    pub(crate) fn check_fits(&self, network: &Network) -> Result<(), ModelError> {
        let described = |name: &str, shape: &[usize]| format!("`{name}` of shape {shape:?}");
        let needed: Vec<_> = network.weights().map(|spec| described(&spec.name, &spec.shape)).collect();
        let given: Vec<_> =
            self.tensors.iter().map(|tensor| described(&tensor.name, &tensor.shape)).collect();
        let Some(at) = (0..needed.len().max(given.len())).find(|&at| needed.get(at) != given.get(at)) else {
            return Ok(());
        };
        let of = |list: &[String]| {
            list.get(at).map_or("no more tensors".to_owned(), |one| format!("tensor {one}"))
        };
        let problem = format!("they hold {}, but the model needs {}", of(&given), of(&needed));
        Err(ModelError::Weights { problem })
    }

    /// Puts given tensors, in any order, into the order of the network.
    ///
    /// # Errors
    /// A missing or foreign tensor (but what the model gives may be missing, and must not differ), a shape that differs, or a value that is not finite; each names the tensor.
    pub fn new(network: &Network, mut given: Vec<WeightTensor>) -> Result<Self, ModelError> {
        let fail = |problem| Err(ModelError::Weights { problem });
        let mut tensors = Vec::new();
        for spec in network.weights() {
            let found = given.iter().position(|tensor| tensor.name == spec.name);
            if let (None, Some(values)) = (found, &spec.given) {
                let (name, shape, values) = (spec.name.clone(), spec.shape.clone(), values.clone());
                tensors.push(WeightTensor { name, shape, values });
                continue;
            }
            let Some(at) = found else {
                let found: Vec<_> = given.iter().map(|tensor| tensor.name.as_str()).collect();
                return fail(format!(
                    "tensor `{}` of shape {:?} is missing; not yet used: [{}]",
                    spec.name,
                    spec.shape,
                    found.join(", ")
                ));
            };
            let tensor = given.swap_remove(at);
            if tensor.shape != spec.shape || tensor.values.len() != spec.len() {
                return fail(format!(
                    "tensor `{}` has shape {:?}, but the model needs {:?}",
                    spec.name, tensor.shape, spec.shape
                ));
            }
            if let Some(at) = tensor.values.iter().position(|value| !value.is_finite()) {
                return fail(format!(
                    "tensor `{}` holds {} at element {at}; all values must be finite",
                    spec.name, tensor.values[at]
                ));
            }
            if let Some(at) = spec.given.iter().flatten().zip(&tensor.values).position(|(a, b)| a != b) {
                return fail(format!(
                    "tensor `{}` holds {} at element {at}, but the model gives another number for it; change one of them",
                    spec.name, tensor.values[at]
                ));
            }
            tensors.push(tensor);
        }
        if let Some(extra) = given.first() {
            return fail(format!("tensor `{}` does not belong to the model", extra.name));
        }
        Ok(Weights { tensors })
    }

    /// Pairs each weight tensor of the network with values in the same order and number: fresh ones, or
    /// what a device holds, which after a diverged training need not be finite.
    pub(crate) fn from_values(network: &Network, values: Vec<Vec<f32>>) -> Self {
        let tensors = network
            .weights()
            .zip(values)
            .map(|(spec, values)| WeightTensor { name: spec.name.clone(), shape: spec.shape.clone(), values })
            .collect();
        Weights { tensors }
    }

    /// The tensors, in the order of the layers.
    pub fn tensors(&self) -> &[WeightTensor] {
        &self.tensors
    }

    /// A digest of all values: equal for the same bits in the same places.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        for tensor in &self.tensors {
            digest.update(bytemuck::cast_slice::<f32, u8>(&tensor.values));
        }
        digest.finalize().into()
    }

    /// The tensor of this name.
    pub fn get(&self, name: &str) -> Option<&WeightTensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }
}
