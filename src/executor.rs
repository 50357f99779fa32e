//! What every executor of a plan can do.

use std::ops::ControlFlow;

use crate::data::{Dataset, Transform};
use crate::gpu::GpuError;
use crate::model::Network;
use crate::plan::{Phase, Plan, Role, StepParams, Tensor};
use crate::profile::{Profile, Sampling};

/// Which of the data sets that an executor holds a pass reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataSlot {
    /// The one that is trained on.
    Training,
    /// The one that is judged on.
    Evaluation,
}

/// Some batches, one after another.
#[derive(Debug, Clone, Copy)]
pub struct Pass<'a> {
    /// Which steps of the plan run.
    pub phase: Phase,
    /// Where samples come from.
    pub data: DataSlot,
    /// Numbers of samples, in the order in which they are taken.
    pub order: &'a [u32],
    /// One row per batch; `slot` counts them from 0.
    pub steps: &'a [StepParams],
    /// How each sample of the order is changed where the plan augments; for rows that are not training, none are needed.
    pub transforms: &'a [Transform],
}

impl Pass<'_> {
    /// Refuses a pass that would reach past the plan's batch or the data: the kernels run unchecked.
    pub(crate) fn check(&self, plan: &Plan, samples: usize) -> Result<(), GpuError> {
        if let Some(sample) = self.order.iter().find(|&&sample| sample as usize >= samples) {
            let problem = format!("the order names sample {sample}, but the data set has {samples}");
            return Err(GpuError::Pass { row: 0, problem });
        }
        let augments = plan.buffer_with(Role::Transforms).is_some();
        for (row, params) in self.steps.iter().enumerate() {
            let transformed = params.position as usize + params.batch_size as usize;
            let end = params.first as usize + params.batch_size as usize;
            let problem = if params.batch_size == 0 || params.batch_size as usize > plan.batch {
                format!("batch size {} is not between 1 and {}", params.batch_size, plan.batch)
            } else if end > self.order.len() {
                format!("it ends at place {end} of an order of {}", self.order.len())
            } else if augments && params.training != 0 && transformed > self.transforms.len() {
                format!("it ends at image {transformed} of {} transforms", self.transforms.len())
            } else if params.slot as usize >= self.steps.len() {
                format!("slot {} is not below {}", params.slot, self.steps.len())
            } else {
                continue;
            };
            return Err(GpuError::Pass { row, problem });
        }
        Ok(())
    }
}

/// Refuses a data set whose images or labels are not for the network.
pub(crate) fn check_data(network: &Network, data: &Dataset) -> Result<(), GpuError> {
    if data.shape() != network.input_shape {
        return Err(GpuError::DataShape { data: data.shape(), model: network.input_shape });
    }
    let (data, model, from_zero) = (data.classes(), network.classes(), data.labels().contains(&0));
    match data {
        _ if data <= model => Ok(()),
        _ if data == model + 1 && !from_zero => Err(GpuError::LabelsFromOne { data, model }),
        _ => Err(GpuError::Classes { data, model }),
    }
}

/// Figures of one batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchMetrics {
    /// Mean loss over the batch, before the update.
    pub loss: f32,
    /// Samples whose largest output is the right one.
    pub correct: u32,
}

/// How far a pass came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ran {
    /// How many batches ran: the first ones of the pass, up to the one that tripped, if one did.
    pub rows: usize,
    /// The row whose loss, or some gradient, was not finite, where its rows are guarded ([`StepParams::guarded`]). Of a bad
    /// loss nothing was updated; of a bad gradient, the weights whose own gradients were finite.
    pub tripped: Option<usize>,
}

/// What a step of the plan wrote: the place of the argument, and its floats.
pub type Written = (usize, Vec<f32>);

/// Runs a plan on one device, in the memory that it allocated when it was made.
pub trait Executor: Send {
    /// The plan.
    fn plan(&self) -> &Plan;

    /// Takes a data set in place of the one in this slot: onto the device as a whole where it fits; else it stays on the
    /// host, and its samples are brought to the device batch by batch. No bit of a result depends on it.
    ///
    /// # Errors
    /// When its images or labels are not for the plan's network, or not even a batch of it fits the device.
    fn set_data(&mut self, slot: DataSlot, data: &Dataset) -> Result<(), GpuError>;

    /// Leaves the data sets that are given from now on on the host, even where they fit the device.
    fn keep_on_host(&mut self) {}

    /// Overwrites a tensor of floats; `values` has its length.
    fn write(&mut self, tensor: &Tensor, values: &[f32]) -> Result<(), GpuError>;

    /// Reads a tensor of floats back.
    fn read(&mut self, tensor: &Tensor) -> Result<Vec<f32>, GpuError>;

    /// Runs a pass to its end, or until `on_metrics` breaks off: no further batches are begun then. `on_metrics` gets the
    /// figures of every batch, in order, some time after it ran; never in [`Phase::Predict`]. From a row on that tripped,
    /// nothing more is updated and no figures come but its own.
    ///
    /// # Errors
    /// When there is no data in the slot, the pass reaches past it, or the device fails.
    fn run(
        &mut self,
        pass: &Pass<'_>,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics) -> ControlFlow<()>,
    ) -> Result<Ran, GpuError>;

    /// Runs the first row of a training pass step by step. `on_step` gets the place of each step in the plan and the floats
    /// that it wrote, of the metrics the row's own, until it breaks off.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    fn step_by_step(
        &mut self,
        pass: &Pass<'_>,
        on_step: &mut dyn FnMut(usize, &[Written]) -> ControlFlow<()>,
    ) -> Result<(), GpuError>;

    /// Measures training passes from now on, with this sampling; what was measured before is kept. Measured or not,
    /// the same kernels run in the same order: no bit of a result changes.
    ///
    /// # Errors
    /// When the device has no memory for it.
    fn profile(&mut self, sampling: Sampling) -> Result<(), GpuError>;

    /// Ends measuring and gives what was measured; `None` when nothing was to be.
    fn take_profile(&mut self) -> Option<Profile>;
}
