//! Running a plan with compute shaders.

mod encode;
mod micro;

use std::cell::Cell;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::feed::Feed;
use super::flight::{Berth, Departure, Flight};
use super::seam::Seam;
use super::steps::{BuiltStep, build_steps};
use super::stream::Stream;
use super::table::{BatchTable, Room};
use super::timing::Timer;
use super::warm_up::WarmUp;
use super::{Gpu, GpuError};
use crate::data::{Dataset, TRANSFORM};
use crate::executor::{
    BatchMetrics, DataSlot, Executor, ExecutorError, Pass, Ran, Summands, Written, check_data, check_form,
    check_len,
};
use crate::plan::{Access, Dtype, Phase, Plan, Role, Tensor};
use crate::profile::{Profile, ProfileSoFar, Sampling, StepTimes};
use crate::wait::Instant;

/// Runs a plan on a GPU: buffers, pipelines and bind groups are created once.
pub struct GpuExecutor {
    gpu: Arc<Gpu>,
    plan: Plan,
    /// One per buffer of the plan; `None` for those of the data set.
    buffers: Vec<Option<wgpu::Buffer>>,
    /// One per step of the plan.
    steps: Vec<BuiltStep>,
    warm_up: WarmUp,
    pub(super) feed: Feed,
    table: Option<BatchTable>,
    flight: Flight,
    /// Of the first pass of micro-batches.
    seam: Option<Seam>,
    pub(super) timer: Option<Timer>,
}

const STORAGE: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_DST).union(wgpu::BufferUsages::COPY_SRC);

impl GpuExecutor {
    /// Allocates the plan's memory, all zero, and compiles its kernels.
    ///
    /// # Errors
    /// When the plan exceeds a limit of the adapter, its memory is exhausted or a kernel is refused.
    pub fn new(gpu: Arc<Gpu>, plan: Plan) -> Result<Self, GpuError> {
        let samples = plan.batch;
        GpuExecutor::allocate(gpu, plan).map_err(|error| error.of_batch(samples))
    }

    fn allocate(gpu: Arc<Gpu>, plan: Plan) -> Result<Self, GpuError> {
        let buffers = plan
            .buffers
            .iter()
            .map(|buffer| {
                let decided = buffer.len > 0;
                decided.then(|| gpu.buffer(&buffer.name, buffer.bytes(), STORAGE)).transpose()
            })
            .collect::<Result<Vec<_>, _>>()?;
        let steps = build_steps(&gpu, &plan)?;
        let executor = GpuExecutor {
            feed: Feed::new(&gpu),
            flight: Flight::new(gpu.class().hardware),
            gpu,
            plan,
            buffers,
            steps,
            warm_up: WarmUp::default(),
            table: None,
            seam: None,
            timer: None,
        };
        if let Some(table) =
            executor.plan.buffer_with(Role::Table).and_then(|at| executor.buffers[at].as_ref())
        {
            let scale = executor.plan.network.byte_table();
            executor.gpu.upload(table, 0, bytemuck::cast_slice(&scale));
        }
        Ok(executor)
    }

    /// The kernel variant that runs each step of the plan.
    pub fn variants(&self) -> Vec<&'static str> {
        self.steps.iter().map(|step| step.variant).collect()
    }

    /// Makes the batch table, and everything else that grows with a pass, long enough for one.
    fn make_room(&mut self, wanted: Room) -> Result<(), GpuError> {
        let have = self.table.as_ref().map(BatchTable::capacity).unwrap_or_default();
        let room = have.and(wanted);
        if self.table.is_some() && room == have {
            return Ok(());
        }
        for (place, buffer) in self.plan.buffers.iter().enumerate() {
            let len = match buffer.role {
                Role::Order => room.order,
                Role::Metrics => room.rows,
                Role::Transforms => room.transforms * TRANSFORM,
                _ => continue,
            };
            let bytes = (len * size_of::<u32>()) as u64;
            self.buffers[place] = Some(self.gpu.buffer(&buffer.name, bytes, STORAGE)?);
        }
        self.table = Some(BatchTable::new(&self.gpu, room)?);
        for step in &mut self.steps {
            step.bound = [None, None];
        }
        Ok(())
    }

    /// Binds the arguments of every step of a phase that are not bound yet.
    fn bind(&mut self, phase: Phase, slot: DataSlot) -> Result<(), ExecutorError> {
        let data = self.feed.buffers(slot);
        for (index, step) in self.plan.steps_of(phase) {
            let built = &mut self.steps[index];
            if built.bound[slot as usize].is_some() {
                continue;
            }
            let mut resources = Vec::new();
            for tensor in &step.args {
                let buffer = &self.plan.buffers[tensor.buffer];
                resources.push(match (&self.buffers[tensor.buffer], buffer.role) {
                    (Some(own), _) => own,
                    (None, Role::Data(part)) => {
                        data.and_then(|parts| parts[part as usize].as_ref()).ok_or(ExecutorError::NoData)?
                    }
                    (None, _) => return Err(ExecutorError::NoData),
                });
            }
            built.bind(&self.gpu, slot, &step.name, &resources);
        }
        Ok(())
    }

    /// Compiles the kernels of a phase on the device that will run them.
    fn warm_up(&mut self, phase: Phase, slot: DataSlot) -> Result<(), ExecutorError> {
        let table = self.table.as_ref();
        self.warm_up.run(&self.gpu, &self.plan, &self.steps, phase, &|pass, index| {
            self.steps[index].encode_empty(pass, slot, table);
        })?;
        Ok(())
    }

    /// Allocates what a pass needs, uploads its batch table, and binds it.
    fn prepare(&mut self, pass: &Pass<'_>) -> Result<(), ExecutorError> {
        let streamed = self.feed.streamed(pass.data).map(|streamed| {
            let Stream { slots, .. } = streamed.stream;
            (slots.staging_bytes(), streamed.stream.order(), streamed.stream.rows(pass.batches))
        });
        let staging = streamed.as_ref().map(|(bytes, ..)| *bytes);
        let (order, rows) = match &streamed {
            Some((_, order, rows)) => (order.as_slice(), rows.as_slice()),
            None => (pass.order, pass.batches),
        };
        self.make_room(Room { rows: rows.len(), order: order.len(), transforms: pass.transforms.len() })?;
        self.flight.make_ready(&self.gpu, staging)?;
        self.flight.tripped = None;
        self.bind(pass.phase, pass.data)?;
        if let Some(table) = &self.table {
            table.upload(&self.gpu, rows);
        }
        let place = self.plan.buffer_with(Role::Order);
        if let Some(buffer) = place.and_then(|place| self.buffers[place].as_ref()) {
            self.gpu.upload(buffer, 0, bytemuck::cast_slice(order));
        }
        let place = self.plan.buffer_with(Role::Transforms);
        if let Some(buffer) = place.and_then(|place| self.buffers[place].as_ref())
            && !pass.transforms.is_empty()
        {
            self.gpu.upload(buffer, 0, bytemuck::cast_slice(pass.transforms));
        }
        self.warm_up(pass.phase, pass.data)
    }

    /// Runs a pass; if `stop` is set or a row diverges, only what has been started. `timer` measures it.
    fn submit(
        &mut self,
        pass: &Pass<'_>,
        mut timer: Option<&mut Timer>,
        stop: &Cell<bool>,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics),
    ) -> Result<Ran, ExecutorError> {
        self.prepare(pass)?;
        let mut next = 0;
        while next < pass.batches.len() && !stop.get() && self.flight.tripped.is_none() {
            let mut rows = next..(next + self.flight.batches()).min(pass.batches.len());
            if let Some(streamed) = self.feed.streamed(pass.data) {
                rows = streamed.carried(rows);
            }
            if let Some(timer) = timer.as_deref_mut() {
                rows = timer.up_to_next(rows);
                if rows.is_empty() {
                    self.take_apart(pass, next, timer, on_metrics)?;
                    next += 1;
                    continue;
                }
                timer.begin_whole(rows.len());
            }
            next = rows.end;
            self.gpu.before_batches(rows.len());
            let berth = self.flight.berth(&self.gpu, on_metrics)?;
            let begun = Instant::now();
            let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
            self.reset_tripwire(&mut encoder, rows.start);
            let samples = self.load(&mut encoder, &berth, pass, rows.clone())?;
            let mut encoder = self.encode(encoder, pass.phase, pass.data, rows.clone());
            let metrics = pass.phase != Phase::Predict;
            if metrics {
                self.copy_metrics(&mut encoder, &berth.metrics, &rows);
            }
            let commands = encoder.finish();
            let encoded = Instant::now();
            let submitted = self.gpu.submit(commands);
            if let Some(timer) = timer.as_deref_mut() {
                timer.submitted(encoded - begun, encoded.elapsed(), rows.len());
            }
            let (first_slot, batches) = (rows.start, rows.len());
            self.flight.depart(
                &self.gpu,
                Departure {
                    submitted,
                    metrics,
                    samples,
                    first_slot,
                    batches,
                    flops: self.flops(pass.phase) * batches as f64,
                },
                berth,
            );
            self.gpu.check()?;
        }
        self.flight.land_all(&self.gpu, on_metrics)?;
        if let Some(timer) = timer {
            timer.end_whole();
        }
        let tripped = self.flight.tripped;
        Ok(Ran { rows: tripped.map_or(next, |row| row + 1), tripped })
    }

    /// Uploads the samples of some rows if they are streamed; returns whether they are.
    fn load(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        berth: &Berth,
        pass: &Pass<'_>,
        rows: std::ops::Range<usize>,
    ) -> Result<bool, ExecutorError> {
        let (Some(streamed), Some(staging)) = (self.feed.streamed(pass.data), &berth.samples) else {
            return Ok(false);
        };
        streamed.load(&self.gpu, encoder, staging, pass, rows)?;
        Ok(true)
    }

    /// Runs one row of a training pass step by step, with nothing else in progress: the same kernels in the same
    /// order as [`encode`](Self::encode), so it computes the same bits.
    fn take_apart(
        &mut self,
        pass: &Pass<'_>,
        row: usize,
        timer: &mut Timer,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics),
    ) -> Result<(), ExecutorError> {
        self.flight.land_all(&self.gpu, on_metrics)?;
        timer.end_whole();
        self.gpu.before_batches(1);
        let steps: Vec<usize> = self.plan.steps_of(pass.phase).map(|(index, _)| index).collect();
        let berth = self.flight.berth(&self.gpu, on_metrics)?;
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        self.reset_tripwire(&mut encoder, row);
        let samples = self.load(&mut encoder, &berth, pass, row..row + 1)?;
        if samples || row == 0 {
            self.gpu.submit(encoder.finish());
        }
        timer.run_steps(&self.gpu, &steps, &|passes, index| self.dispatch(passes, index, pass.data, row))?;
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        self.copy_metrics(&mut encoder, &berth.metrics, &(row..row + 1));
        let submitted = self.gpu.submit(encoder.finish());
        let departure =
            Departure { submitted, metrics: true, samples, first_slot: row, batches: 1, flops: 0.0 };
        self.flight.depart(&self.gpu, departure, berth);
        self.flight.land_all(&self.gpu, on_metrics)?;
        Ok(())
    }

    /// The device buffer that holds a tensor of floats.
    fn floats(&self, tensor: &Tensor) -> Result<&wgpu::Buffer, ExecutorError> {
        self.buffers[tensor.buffer].as_ref().ok_or(ExecutorError::NoData)
    }
}

impl Executor for GpuExecutor {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn set_data(&mut self, slot: DataSlot, data: &Dataset) -> Result<(), ExecutorError> {
        check_data(&self.plan.network, data)?;
        let data = &*check_form(&self.plan, data)?;
        let set = self.feed.set(&self.gpu, &self.plan, slot, data);
        if !matches!(set, Ok(true)) {
            for step in &mut self.steps {
                step.bound[slot as usize] = None;
            }
        }
        Ok(set.map(drop)?)
    }

    fn keep_on_host(&mut self) {
        self.feed.max_resident = 0;
    }

    fn write(&mut self, tensor: &Tensor, values: &[f32]) -> Result<(), ExecutorError> {
        check_len(tensor, values)?;
        let offset = (tensor.offset * size_of::<f32>()) as u64;
        let bytes = bytemuck::cast_slice(values);
        self.gpu.upload(self.floats(tensor)?, offset, bytes);
        self.gpu.check()?;
        Ok(())
    }

    fn read(&mut self, tensor: &Tensor) -> Result<Vec<f32>, ExecutorError> {
        let words = self.gpu.read_words(self.floats(tensor)?, tensor.offset, tensor.len())?;
        Ok(words.into_iter().map(f32::from_bits).collect())
    }

    fn run(
        &mut self,
        pass: &Pass<'_>,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics) -> ControlFlow<()>,
    ) -> Result<Ran, ExecutorError> {
        pass.check(&self.plan, self.feed.samples(pass.data).ok_or(ExecutorError::NoData)?)?;
        let mut timer = if pass.phase == Phase::Train { self.timer.take() } else { None };
        let stop = Cell::new(false);
        let mut listen = |slot, metrics| stop.set(stop.get() | on_metrics(slot, metrics).is_break());
        let result = self.submit(pass, timer.as_mut(), &stop, &mut listen);
        if timer.is_some() {
            self.timer = timer;
        }
        if result.is_err() {
            self.flight.abandon();
        }
        result
    }

    fn begin(&mut self, pass: &Pass<'_>) -> Result<(), ExecutorError> {
        self.begin_parts(pass)
    }

    fn gradients(
        &mut self,
        pass: &Pass<'_>,
        rows: Range<usize>,
        is_first: bool,
        times: &mut StepTimes,
        take: &mut dyn FnMut(&Summands<'_>),
    ) -> Result<(), ExecutorError> {
        let done = self.gradients_of(pass, rows, is_first, times, take);
        if done.is_err() {
            self.flight.abandon();
            self.seam = None;
        }
        done
    }

    fn update(
        &mut self,
        pass: &Pass<'_>,
        row: usize,
        values: &[f32],
        loss: f32,
        times: &mut StepTimes,
    ) -> Result<(), ExecutorError> {
        let done = self.update_by(pass, row, (values, loss), times);
        if done.is_err() {
            self.seam = None;
        }
        done
    }

    fn tripped(&mut self) -> Result<Option<usize>, ExecutorError> {
        self.tripped_batch()
    }

    fn step_by_step(
        &mut self,
        pass: &Pass<'_>,
        on_step: &mut dyn FnMut(usize, &[Written]) -> ControlFlow<()>,
    ) -> Result<(), ExecutorError> {
        pass.check(&self.plan, self.feed.samples(pass.data).ok_or(ExecutorError::NoData)?)?;
        self.prepare(pass)?;
        let berth = self.flight.berth(&self.gpu, &mut |_, _| ())?;
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        self.reset_tripwire(&mut encoder, 0);
        let samples = self.load(&mut encoder, &berth, pass, 0..1)?;
        let submitted = self.gpu.submit(encoder.finish());
        let departure =
            Departure { submitted, metrics: false, samples, first_slot: 0, batches: 1, flops: 0.0 };
        self.flight.depart(&self.gpu, departure, berth);
        self.flight.land_all(&self.gpu, &mut |_, _| ())?;
        for (index, step) in self.plan.steps_of(Phase::Train) {
            let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
            self.dispatch(&mut encoder.begin_compute_pass(&Default::default()), index, pass.data, 0);
            self.gpu.submit(encoder.finish());
            let mut written = Vec::new();
            for (place, (spec, tensor)) in step.op.args().iter().zip(&step.args).enumerate() {
                if spec.access != Access::In && spec.dtype == Dtype::F32 {
                    let words =
                        self.gpu.read_words(self.floats(tensor)?, tensor.offset, tensor.len().max(1))?;
                    written.push((place, words.into_iter().map(f32::from_bits).collect()));
                }
            }
            if on_step(index, &written).is_break() {
                break;
            }
        }
        self.gpu.check()?;
        Ok(())
    }

    fn profile(&mut self, sampling: Sampling) -> Result<ProfileSoFar, ExecutorError> {
        let timer = match self.timer.take() {
            Some(timer) => timer,
            None => {
                let training = self.plan.steps_of(Phase::Train).count();
                Timer::new(&self.gpu, self.plan.steps.len(), training)?
            }
        };
        Ok(self.timer.insert(timer).sample(sampling))
    }

    fn take_profile(&mut self) -> Option<Profile> {
        self.timer.take().map(Timer::finish)
    }
}
