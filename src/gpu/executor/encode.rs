//! The parts of a pass that go into a command buffer.

use std::ops::Range;

use super::GpuExecutor;
use crate::executor::DataSlot;
use crate::gpu::flight::{MAX_BATCHES, WORDS};
use crate::plan::{Dtype, Phase, Role, Step};

impl GpuExecutor {
    /// Encodes the plan for some rows of the batch table: one compute pass, or several where it would keep the device busy for so long
    /// that its driver may take it for hung; all but the last of them are submitted at once. How steps are grouped changes no bit.
    pub(super) fn encode(
        &self,
        mut encoder: wgpu::CommandEncoder,
        phase: Phase,
        slot: DataSlot,
        rows: Range<usize>,
    ) -> wgpu::CommandEncoder {
        let most = self.flight.most_flops;
        let steps =
            rows.flat_map(|row| self.plan.steps_of(phase).map(move |(index, step)| (row, index, step)));
        let mut steps = steps.peekable();
        loop {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("steps"),
                timestamp_writes: None,
            });
            let mut flops = 0.0;
            let fits = |flops: &f64, step: &Step| *flops == 0.0 || flops + step.op.flops() as f64 <= most;
            while let Some((row, index, step)) = steps.next_if(|(.., step)| fits(&flops, step)) {
                self.dispatch(&mut pass, index, slot, row);
                flops += step.op.flops() as f64;
            }
            drop(pass);
            if steps.peek().is_none() {
                return encoder;
            }
            self.gpu.submit(encoder.finish());
            encoder = self.gpu.device().create_command_encoder(&Default::default());
        }
    }

    /// Floating-point operations of a row of the batch table.
    pub(super) fn flops(&self, phase: Phase) -> f64 {
        self.plan.steps_of(phase).map(|(_, step)| step.op.flops() as f64).sum()
    }

    /// Encodes one step of the plan for one row of the batch table.
    pub(super) fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        index: usize,
        slot: DataSlot,
        row: usize,
    ) {
        let step = &self.steps[index];
        step.select(pass, slot, self.table.as_ref(), row);
        let [x, y] = step.kernel.groups;
        pass.dispatch_workgroups(x, y, 1);
    }

    /// Copies the metrics of some rows into a staging buffer: losses, then counts, then the tripwire.
    pub(super) fn copy_metrics(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        staging: &wgpu::Buffer,
        rows: &Range<usize>,
    ) {
        let word = size_of::<u32>() as u64;
        for (place, buffer) in self.plan.buffers.iter().enumerate() {
            let (first, to, words) = match (buffer.role, buffer.dtype) {
                (Role::Metrics, Dtype::F32) => (rows.start, 0, rows.len()),
                (Role::Metrics, _) => (rows.start, MAX_BATCHES, rows.len()),
                (Role::Tripwire, _) => (0, WORDS - 1, 1),
                _ => continue,
            };
            if let Some(from) = &self.buffers[place] {
                let [first, to, words] = [first, to, words].map(|count| count as u64 * word);
                encoder.copy_buffer_to_buffer(from, first, staging, to, words);
            }
        }
    }

    /// Before the first row of a pass, clears the tripwire of an earlier pass.
    pub(super) fn reset_tripwire(&self, encoder: &mut wgpu::CommandEncoder, row: usize) {
        let place = self.plan.buffer_with(Role::Tripwire);
        if let (0, Some(tripwire)) = (row, place.and_then(|place| self.buffers[place].as_ref())) {
            encoder.clear_buffer(tripwire, 0, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use crate::data::Dataset;
    use crate::data::batches::epoch_order;
    use crate::device::{Device, DeviceChoice};
    use crate::executor::{DataSlot, Executor, Pass};
    use crate::gpu::GpuExecutor;
    use crate::gpu::tally::Event;
    use crate::model::{Activation, Conv2D, Dense, Flatten, Loss, Optimizer, Sequential};
    use crate::plan::{BatchParams, Phase, Plan};

    /// The weights after an epoch in which no submission has more floating-point operations than this, and how many submissions it took.
    fn trained(most_flops: Option<f64>) -> (Vec<f32>, u64) {
        let Device::Gpu(gpu) = Device::open(&DeviceChoice::Software).unwrap().0 else { unreachable!() };
        let images = (0..12 * 64).map(|at| (at * 37 % 251) as u8).collect();
        let data = Dataset::new(images, (0..12).map(|at| at % 3).collect(), [8, 8, 1], 3).unwrap();
        let network = Sequential::new([8, 8, 1])
            .add(Conv2D::new(4, 3).activation(Activation::Relu))
            .add(Flatten::new())
            .add(Dense::new(3).activation(Activation::Softmax))
            .network()
            .unwrap();
        let plan = Plan::build(&network, Loss::default(), Optimizer::default(), 4).unwrap().fuse();
        let weights = network.initial_weights(3);
        let mut executor = GpuExecutor::new(gpu.clone(), plan.clone()).unwrap();
        executor.flight.most_flops = most_flops.unwrap_or(f64::INFINITY);
        executor.set_data(DataSlot::Training, &data).unwrap();
        for (tensor, weight) in plan.parameters.iter().zip(weights.tensors()) {
            executor.write(tensor, &weight.values).unwrap();
        }
        let mut batches = BatchParams::of_pass(12, 4, 1e-2);
        batches.iter_mut().for_each(|row| row.training = 1);
        let order = epoch_order(12, 0, Some(1));
        let pass = Pass {
            phase: Phase::Train,
            data: DataSlot::Training,
            order: &order,
            batches: &batches,
            transforms: &[],
        };
        let before = gpu.tally().of(Event::Submission);
        executor.run(&pass, &mut |_, _| ControlFlow::Continue(())).unwrap();
        let submissions = gpu.tally().of(Event::Submission) - before;
        let values = plan.parameters.iter().flat_map(|tensor| executor.read(tensor).unwrap()).collect();
        (values, submissions)
    }

    #[test]
    fn work_in_many_submissions_gives_the_same_bits() {
        let (whole, few) = trained(None);
        let (in_pieces, many) = trained(Some(1.0));
        assert_eq!(whole, in_pieces);
        assert!(many > few, "{many} submissions, {few} without a limit");
    }
}
