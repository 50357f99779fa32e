//! Weight files.

use std::fs;

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
