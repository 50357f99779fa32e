//! Types of numbers in weight files.

use half::{bf16, f16};

/// Types whose values F32 holds, in little-endian order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Element {
    F32,
    F16,
    Bf16,
}

impl Element {
    /// By its name in safetensors.
    pub(super) fn of(dtype: &str) -> Option<Self> {
        match dtype {
            "F32" => Some(Element::F32),
            "F16" => Some(Element::F16),
            "BF16" => Some(Element::Bf16),
            _ => None,
        }
    }

    /// Of one value.
    pub(super) fn bytes(self) -> u64 {
        match self {
            Element::F32 => 4,
            Element::F16 | Element::Bf16 => 2,
        }
    }

    /// The values of these bytes.
    pub(super) fn widened(self, bytes: &[u8]) -> Vec<f32> {
        let (pairs, _) = bytes.as_chunks::<2>();
        match self {
            Element::F32 => bytes.as_chunks::<4>().0.iter().map(|&four| f32::from_le_bytes(four)).collect(),
            Element::F16 => pairs.iter().map(|&pair| f16::from_le_bytes(pair).to_f32()).collect(),
            Element::Bf16 => pairs.iter().map(|&pair| bf16::from_le_bytes(pair).to_f32()).collect(),
        }
    }
}
