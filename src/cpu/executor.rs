use std::ops::{ControlFlow, Range};

use super::data::CpuData;
use crate::data::Dataset;
use crate::executor::{
    BatchMetrics, DataSlot, Executor, ExecutorError, Pass, Ran, Summands, Written, check_count, check_data,
    check_form, check_len,
};
use crate::ops::{Arg, Real, Room, Scratch};
use crate::plan::{Access, BatchParams, Dtype, Phase, Plan, Role, Tensor};
use crate::profile::{Clock, Profile, ProfileSoFar, Profiler, Sampling, StepTimes};
use crate::wait::Instant;

/// Runs a plan with the twins, or with the fast rows of its ops.
#[derive(Debug)]
pub struct CpuExecutor<T> {
    plan: Plan,
    /// The room of fast rows; `None` where the twins compute.
    scratch: Option<Scratch>,
    memory: Vec<Memory<T>>,
    data: [Option<CpuData<T>>; 2],
    profiler: Option<Profiler>,
    /// What the last micro-batch adds to its batch.
    summands: Vec<f32>,
}

/// One buffer of the plan.
#[derive(Debug)]
enum Memory<T> {
    Floats(Vec<T>),
    Integers(Vec<u32>),
    /// Of the data set; see [`CpuData`].
    Elsewhere,
}

impl CpuExecutor<f32> {
    /// The same as [`CpuExecutor::new`] with the fast rows of the ops that have one.
    pub fn fast(plan: Plan) -> Self {
        let scratch = Some(Scratch::new(rooms(&plan)));
        CpuExecutor { scratch, ..CpuExecutor::new(plan) }
    }

    /// The bytes that fast rows of a plan compute in, beside its buffers; they grow with the threads.
    pub(crate) fn scratch_bytes(plan: &Plan) -> usize {
        Scratch::bytes(rooms(plan))
    }
}

fn rooms(plan: &Plan) -> impl Iterator<Item = Room> {
    plan.steps.iter().filter_map(|step| step.op.fast()).map(|(_, room)| room)
}

impl<T: Real> CpuExecutor<T> {
    /// Allocates the plan's memory, all zero. Twins compute.
    pub fn new(plan: Plan) -> Self {
        let memory = plan
            .buffers
            .iter()
            .map(|buffer| match (buffer.role, buffer.dtype) {
                (Role::Data(_), _) | (_, Dtype::Bytes) => Memory::Elsewhere,
                (_, Dtype::F32) => Memory::Floats(vec![T::zero(); buffer.len]),
                (_, Dtype::U32) => Memory::Integers(vec![0; buffer.len]),
            })
            .collect();
        let mut executor = CpuExecutor {
            plan,
            scratch: None,
            memory,
            data: [None, None],
            profiler: None,
            summands: Vec::new(),
        };
        if let Some(table) = executor.plan.buffer_with(Role::Table) {
            let scale = executor.plan.network.byte_table().map(|scale| T::of(f64::from(scale)));
            executor.memory[table] = Memory::Floats(scale.to_vec());
        }
        executor
    }

    /// The values of a tensor of floats, in this executor's own precision.
    pub fn values(&self, tensor: &Tensor) -> &[T] {
        match &self.memory[tensor.buffer] {
            Memory::Floats(values) => &values[tensor.offset..][..tensor.len()],
            _ => &[],
        }
    }

    /// The values of a tensor of floats, to be changed.
    pub fn values_mut(&mut self, tensor: &Tensor) -> &mut [T] {
        match &mut self.memory[tensor.buffer] {
            Memory::Floats(values) => &mut values[tensor.offset..][..tensor.len()],
            _ => &mut [],
        }
    }

    /// Runs one step on this executor's memory.
    ///
    /// # Errors
    /// [`ExecutorError::Arguments`] when the step's tensors are not those of its op.
    pub fn run_step(
        &mut self,
        index: usize,
        data: DataSlot,
        params: &BatchParams,
    ) -> Result<(), ExecutorError> {
        let CpuExecutor { plan, scratch, memory, data: sets, .. } = self;
        let step = &plan.steps[index];
        let set = sets[data as usize].as_ref();
        // What is written is taken out while the rest is lent; no step writes a buffer that it also uses otherwise.
        let specs = step.op.args();
        let mut written: Vec<(usize, Memory<T>)> = specs
            .iter()
            .zip(&step.args)
            .filter(|(spec, _)| spec.access != Access::In)
            .map(|(_, tensor)| {
                let taken = std::mem::replace(&mut memory[tensor.buffer], Memory::Elsewhere);
                (tensor.buffer, taken)
            })
            .collect();
        let mut outputs = written.iter_mut();
        let mut args: Vec<Arg<'_, T>> = Vec::new();
        for (spec, tensor) in specs.iter().zip(&step.args) {
            let arg = if spec.access == Access::In {
                input(plan.buffers[tensor.buffer].role, tensor, &memory[tensor.buffer], set)
            } else {
                outputs.next().and_then(|(_, memory)| output(tensor, memory))
            };
            args.extend(arg);
        }
        let ran = match (scratch, T::fast(&mut args)) {
            (Some(scratch), Some(args)) => step.op.run_fast(params, args, scratch),
            _ => step.op.twin(params, &mut args),
        };
        drop(args);
        for (buffer, taken) in written {
            memory[buffer] = taken;
        }
        ran.map_err(|error| ExecutorError::Arguments { step: step.name.clone(), error })
    }

    fn prepare(&mut self, pass: &Pass<'_>) {
        let steps = pass.batches.len();
        for (buffer, memory) in self.plan.buffers.iter().zip(&mut self.memory) {
            match (buffer.role, memory) {
                (Role::Order, Memory::Integers(values)) => {
                    values.clear();
                    values.extend_from_slice(pass.order);
                }
                (Role::Transforms, Memory::Floats(values)) => {
                    values.clear();
                    values
                        .extend(pass.transforms.as_flattened().iter().map(|&value| T::of(f64::from(value))));
                }
                (Role::Metrics, Memory::Integers(values)) => values.resize(steps, 0),
                (Role::Metrics, Memory::Floats(values)) => values.resize(steps, T::zero()),
                (Role::Tripwire, Memory::Integers(values)) => values.fill(0),
                _ => {}
            }
        }
    }

    /// Checks and readies a pass.
    fn ready(&mut self, pass: &Pass<'_>) -> Result<(), ExecutorError> {
        let samples = self.data[pass.data as usize].as_ref().map(|data| data.set.len());
        pass.check(&self.plan, samples.ok_or(ExecutorError::NoData)?)?;
        self.prepare(pass);
        Ok(())
    }

    /// Runs the steps of a phase for one row.
    fn run_phase(&mut self, phase: Phase, data: DataSlot, params: &BatchParams) -> Result<(), ExecutorError> {
        let steps: Vec<usize> = self.plan.steps_of(phase).map(|(index, _)| index).collect();
        steps.into_iter().try_for_each(|index| self.run_step(index, data, params))
    }

    /// Sets the loss of a batch.
    fn set_loss(&mut self, slot: usize, loss: f32) {
        for (buffer, memory) in self.plan.buffers.iter().zip(&mut self.memory) {
            if let (Role::Metrics, Memory::Floats(values)) = (buffer.role, memory) {
                values[slot] = T::of(f64::from(loss));
            }
        }
    }

    /// The row that tripped.
    fn tripped_row(&self) -> Option<usize> {
        let place = self.plan.buffer_with(Role::Tripwire)?;
        match &self.memory[place] {
            Memory::Integers(values) => (values[0] as usize).checked_sub(1),
            _ => None,
        }
    }

    fn metrics(&self, slot: usize) -> BatchMetrics {
        let mut metrics = BatchMetrics { loss: 0.0, correct: 0 };
        for (buffer, memory) in self.plan.buffers.iter().zip(&self.memory) {
            match (buffer.role, memory) {
                (Role::Metrics, Memory::Integers(values)) => metrics.correct = values[slot],
                (Role::Metrics, Memory::Floats(values)) => metrics.loss = values[slot].f64() as f32,
                _ => {}
            }
        }
        metrics
    }
}

/// The tensor's range; all of the buffer when the data set decides its length.
fn range<E>(tensor: &Tensor, values: &[E]) -> std::ops::Range<usize> {
    if tensor.is_empty() { 0..values.len() } else { tensor.offset..tensor.offset + tensor.len() }
}

fn input<'a, T: Real>(
    role: Role,
    tensor: &Tensor,
    memory: &'a Memory<T>,
    data: Option<&'a CpuData<T>>,
) -> Option<Arg<'a, T>> {
    Some(match memory {
        Memory::Floats(values) => Arg::In(&values[range(tensor, values)]),
        Memory::Integers(values) => Arg::InU32(&values[range(tensor, values)]),
        Memory::Elsewhere => match role {
            Role::Data(part) => data?.arg(part),
            _ => return None,
        },
    })
}

fn output<'a, T>(tensor: &Tensor, memory: &'a mut Memory<T>) -> Option<Arg<'a, T>> {
    match memory {
        Memory::Floats(values) => {
            let range = range(tensor, values);
            Some(Arg::Out(&mut values[range]))
        }
        Memory::Integers(values) => {
            let range = range(tensor, values);
            Some(Arg::OutU32(&mut values[range]))
        }
        Memory::Elsewhere => None,
    }
}

impl<T: Real> Executor for CpuExecutor<T> {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn set_data(&mut self, slot: DataSlot, data: &Dataset) -> Result<(), ExecutorError> {
        check_data(&self.plan.network, data)?;
        let data = check_form(&self.plan, data)?;
        self.data[slot as usize] = Some(CpuData::new(data.into_owned()));
        Ok(())
    }

    fn write(&mut self, tensor: &Tensor, values: &[f32]) -> Result<(), ExecutorError> {
        check_len(tensor, values)?;
        for (to, &from) in self.values_mut(tensor).iter_mut().zip(values) {
            *to = T::of(f64::from(from));
        }
        Ok(())
    }

    fn read(&mut self, tensor: &Tensor) -> Result<Vec<f32>, ExecutorError> {
        Ok(self.values(tensor).iter().map(|value| value.f64() as f32).collect())
    }

    fn run(
        &mut self,
        pass: &Pass<'_>,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics) -> ControlFlow<()>,
    ) -> Result<Ran, ExecutorError> {
        self.ready(pass)?;
        let steps: Vec<usize> = self.plan.steps_of(pass.phase).map(|(index, _)| index).collect();
        for (slot, params) in pass.batches.iter().enumerate() {
            let mut profiler = if pass.phase == Phase::Train { self.profiler.take() } else { None };
            let mut due = profiler.as_mut().filter(|profiler| profiler.before_next() == 0);
            let begun = Instant::now();
            for &index in &steps {
                let begun = Instant::now();
                self.run_step(index, pass.data, params)?;
                if let Some(profiler) = &mut due {
                    profiler.step(index, begun.elapsed().as_secs_f64());
                }
            }
            if let Some(mut profiler) = profiler {
                profiler.whole(begun.elapsed(), 1);
                profiler.ran(1);
                self.profiler = Some(profiler);
            }
            let heard = pass.phase == Phase::Predict || on_metrics(slot, self.metrics(slot)).is_continue();
            let tripped = self.tripped_row();
            if !heard || tripped.is_some() {
                return Ok(Ran { rows: slot + 1, tripped });
            }
        }
        Ok(Ran { rows: pass.batches.len(), tripped: None })
    }

    fn begin(&mut self, pass: &Pass<'_>) -> Result<(), ExecutorError> {
        self.ready(pass)
    }

    fn gradients(
        &mut self,
        pass: &Pass<'_>,
        rows: Range<usize>,
        is_first: bool,
        times: &mut StepTimes,
        take: &mut dyn FnMut(&Summands<'_>),
    ) -> Result<(), ExecutorError> {
        for (at, params) in pass.batches[rows].iter().enumerate() {
            let phase = Phase::of_gradients(is_first && at == 0);
            times.compute.time(|| self.run_phase(phase, pass.data, params))?;
            let mut summands = std::mem::take(&mut self.summands);
            times.map.time(|| {
                summands.clear();
                for tensor in &self.plan.summands {
                    summands.extend(self.values(tensor).iter().map(|value| value.f64() as f32));
                }
            });
            let BatchMetrics { loss, correct } = self.metrics(params.slot as usize);
            take(&Summands { values: &summands, loss, correct, tripped: self.tripped_row() });
            self.summands = summands;
        }
        Ok(())
    }

    fn update(
        &mut self,
        pass: &Pass<'_>,
        row: usize,
        values: &[f32],
        loss: f32,
        times: &mut StepTimes,
    ) -> Result<(), ExecutorError> {
        check_count(self.plan.summands.iter().map(Tensor::len).sum(), values.len())?;
        let params = &pass.batches[row];
        times.upload.time(|| {
            let mut rest = values;
            for tensor in self.plan.summands.clone() {
                let (own, others) = rest.split_at(tensor.len());
                self.write(&tensor, own)?;
                rest = others;
            }
            self.set_loss(params.slot as usize, loss);
            Ok::<_, ExecutorError>(())
        })?;
        times.update.time(|| self.run_phase(Phase::Update, pass.data, params))
    }

    fn tripped(&mut self) -> Result<Option<usize>, ExecutorError> {
        Ok(self.tripped_row())
    }

    fn step_by_step(
        &mut self,
        pass: &Pass<'_>,
        on_step: &mut dyn FnMut(usize, &[Written]) -> ControlFlow<()>,
    ) -> Result<(), ExecutorError> {
        self.ready(pass)?;
        let steps: Vec<usize> = self.plan.steps_of(Phase::Train).map(|(index, _)| index).collect();
        for (index, params) in steps.into_iter().zip(std::iter::repeat(&pass.batches[0])) {
            self.run_step(index, pass.data, params)?;
            let step = &self.plan.steps[index];
            let specs = step.op.args();
            let written = specs.iter().zip(&step.args).enumerate().filter_map(|(at, (spec, tensor))| {
                let Memory::Floats(values) = &self.memory[tensor.buffer] else { return None };
                let values = values[range(tensor, values)].iter().map(|value| value.f64() as f32).collect();
                (spec.access != Access::In).then_some((at, values))
            });
            let written: Vec<Written> = written.collect();
            if on_step(index, &written).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn profile(&mut self, sampling: Sampling) -> Result<ProfileSoFar, ExecutorError> {
        let steps = self.plan.steps.len();
        Ok(self.profiler.get_or_insert_with(|| Profiler::new(Clock::Host, steps)).sample(sampling))
    }

    fn take_profile(&mut self) -> Option<Profile> {
        self.profiler.take().map(Profiler::finish)
    }
}
