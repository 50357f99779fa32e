//! Weight files.

use std::fs;

use safetensors::tensor::{SafeTensors, TensorView};
use shadegrad::io::import::{Import, NameMap, import_weights};
use shadegrad::io::{read_weights, weights_to_bytes};
use shadegrad::model::Network;

use super::models::small;
use super::{Player, Taken, told};
use crate::damage;
use crate::dice::Dice;
use crate::place::{Place, put_something_odd};

pub struct Safetensors {
    network: Network,
    whole: Vec<u8>,
}

impl Safetensors {
    pub fn new() -> Self {
        let network = small().model.network().unwrap();
        let whole = weights_to_bytes(&network.initial_weights(1), &Default::default()).unwrap();
        Safetensors { network, whole }
    }

    /// The header and the data after it.
    fn parts(&self) -> (&str, &[u8]) {
        let length = u64::from_le_bytes(*self.whole.first_chunk().unwrap()) as usize;
        let (header, values) = self.whole[8..].split_at(length);
        (std::str::from_utf8(header).unwrap(), values)
    }

    fn hostile(&self, dice: &mut Dice) -> Vec<u8> {
        let (header, values) = self.parts();
        match dice.below(5) {
            0 => damage::bytes(&self.whole, dice),
            1 => {
                // Only the length of the header differs.
                let mut bytes = self.whole.clone();
                bytes[..8].copy_from_slice(&dice.number().to_le_bytes());
                bytes
            }
            2 => {
                // Values that are NaN or infinite.
                let mut values = values.to_vec();
                let at = dice.below(values.len() / 4) * 4;
                let odd = *dice.pick(&[f32::NAN, f32::INFINITY, -f32::INFINITY, -f32::NAN, 1e-45]);
                values[at..at + 4].copy_from_slice(&odd.to_le_bytes());
                joined(header.as_bytes(), &values)
            }
            _ => {
                // The length of the header is right; one tensor per line makes it a text to damage.
                let lines = header.replace("},", "},\n").replace(":[", ":\n[");
                joined(&damage::text(&lines, dice), values)
            }
        }
    }
}

fn joined(header: &[u8], values: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header);
    bytes.extend(values);
    bytes
}

impl Player for Safetensors {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let path = place.clear().join("weights.safetensors");
        if dice.once_in(20) {
            put_something_odd(&path, place, dice);
        } else {
            fs::write(&path, self.hostile(dice)).unwrap();
        }
        told(read_weights(&path, &self.network))
    }
}

/// Weights under the paths of Keras, with a layer that begins anew and a tensor that is left out.
pub struct Others(Safetensors);

impl Others {
    pub fn new() -> Self {
        let Safetensors { network, whole } = Safetensors::new();
        let read = SafeTensors::deserialize(&whole).unwrap();
        let tensors: Vec<(String, TensorView<'_>)> = read.tensors();
        let renamed = tensors.iter().map(|(name, view)| (name.replace('.', "/"), view));
        let whole = safetensors::serialize(renamed, None).unwrap();
        Others(Safetensors { network, whole })
    }
}

impl Player for Others {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let path = place.clear().join("theirs.safetensors");
        if dice.once_in(20) {
            put_something_odd(&path, place, dice);
        } else {
            fs::write(&path, self.0.hostile(dice)).unwrap();
        }
        let layers: Vec<String> = self.0.network.layers.iter().map(|layer| layer.name.clone()).collect();
        let fresh = if dice.once_in(3) { vec![dice.pick(&layers).clone()] } else { Vec::new() };
        let ignore = if dice.once_in(3) { vec![dice.pick(&layers).clone()] } else { Vec::new() };
        let options = Import { fresh, ignore, ..Import::default() };
        told(import_weights(&path, &self.0.network, &options, 1))
    }
}

const MAP: &str = r#"prefix = "net."

[names]
dense = "fc"
"conv2d.kernel" = { name = "features.0.w", layout = "pytorch" }
"conv2d.bias" = "features.0.b"
"#;

/// Files that say which of somebody else's tensors is which weight.
pub struct Names {
    network: Network,
    weights: Vec<u8>,
}

impl Names {
    pub fn new() -> Self {
        let Safetensors { network, whole } = Safetensors::new();
        Names { network, weights: whole }
    }
}

impl Player for Names {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let dir = place.clear();
        let path = dir.join("map.toml");
        if dice.once_in(20) {
            put_something_odd(&path, place, dice);
        } else {
            fs::write(&path, damage::text(MAP, dice)).unwrap();
        }
        let map = match NameMap::read(&path) {
            Ok(map) => map,
            refused => return told(refused),
        };
        fs::write(dir.join("theirs.safetensors"), &self.weights).unwrap();
        let options = Import { map, ..Import::default() };
        // The names are none of the file, unless damage made them so.
        told(import_weights(&dir.join("theirs.safetensors"), &self.network, &options, 1));
        true
    }
}
