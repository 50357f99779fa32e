//! What changes from one batch to the next.

/// What changes from one execution of the plan to the next. Laid out as `StepParams` in `shaders/shared/step.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct BatchParams {
    /// Samples in this batch, at most the plan's batch capacity.
    pub batch_size: u32,
    /// Where this batch begins in the order of samples.
    pub first: u32,
    /// Where this batch's loss and hits go in the metrics.
    pub slot: u32,
    /// Step size of the optimizer.
    pub learning_rate: f32,
    /// What corrects the bias of Adam's running means at this step; 1 for optimizers that have none.
    pub correction: f32,
    /// 1 in training and 0 otherwise: what only training does, such as dropout, asks for it.
    pub training: u32,
    /// Number of the optimizer step, counted from 0 since the model was compiled: chooses the step's random draws.
    pub step: u32,
    /// Place of the batch's first sample in the order of the pass, wherever the device finds the sample itself.
    pub position: u32,
    /// Lower half of the seed of random draws.
    pub seed_low: u32,
    /// Upper half of the seed of random draws.
    pub seed_high: u32,
    /// 1 where updates do nothing from the first loss or gradient on that is not finite, 0 where they follow it.
    pub guarded: u32,
}

impl Default for BatchParams {
    fn default() -> Self {
        BatchParams {
            batch_size: 0,
            first: 0,
            slot: 0,
            learning_rate: 0.0,
            correction: 1.0,
            training: 0,
            step: 0,
            position: 0,
            seed_low: 0,
            seed_high: 0,
            guarded: 0,
        }
    }
}
