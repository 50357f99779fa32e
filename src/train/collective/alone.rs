//! One process.

use super::{Collective, CollectiveError};
use crate::profile::StepTimes;

/// The only rank: nothing is exchanged. What several ranks compute together is held to what this one computes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Collective for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn sum(&mut self, _: &mut Vec<f32>, _: &mut StepTimes) -> Result<(), CollectiveError> {
        Ok(())
    }

    fn gather(&mut self, own: &[u8]) -> Result<Vec<Vec<u8>>, CollectiveError> {
        Ok(vec![own.to_vec()])
    }
}
