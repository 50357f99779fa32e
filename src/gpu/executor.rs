//! Runs a plan with compute shaders.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::feed::ResidentData;
use super::flight::{Flight, MAX_STEPS};
use super::kernel::{BuiltKernel, Checks};
use super::timing::Timer;
use super::{Gpu, GpuError};
use crate::data::Dataset;
use crate::executor::{BatchMetrics, DataSlot, Executor, Pass, byte_scale, check_data};
use crate::plan::{Dtype, Phase, Plan, Role, Step, StepParams, Tensor};
use crate::profile::{Profile, Sampling};

/// Runs a plan on a GPU: buffers, pipelines and bind groups are made once.
pub struct GpuExecutor {
    gpu: Arc<Gpu>,
    plan: Plan,
    /// One per buffer of the plan; `None` for those of the data set.
    buffers: Vec<Option<wgpu::Buffer>>,
    /// One per step of the plan.
    steps: Vec<BuiltStep>,
    data: [Option<ResidentData>; 2],
    table: Option<StepTable>,
    flight: Flight,
    pub(super) timer: Option<Timer>,
}

/// A step with its kernel; its arguments are bound for each data slot.
struct BuiltStep {
    kernel: BuiltKernel,
    variant: &'static str,
    bound: [Option<wgpu::BindGroup>; 2],
}

/// The rows of a pass, and group 1 over them.
struct StepTable {
    buffer: wgpu::Buffer,
    bound: wgpu::BindGroup,
    /// Rows, and elements of the order.
    capacity: (usize, usize),
}

const STORAGE: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_DST).union(wgpu::BufferUsages::COPY_SRC);

impl GpuExecutor {
    /// Allocates the plan's memory, all zero, and compiles its kernels.
    ///
    /// # Errors
    /// When the plan goes over a limit of the adapter, its memory is exhausted or a kernel is refused.
    pub fn new(gpu: Arc<Gpu>, plan: Plan) -> Result<Self, GpuError> {
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
            gpu,
            plan,
            buffers,
            steps,
            data: [None, None],
            table: None,
            flight: Flight::new(),
            timer: None,
        };
        if let Some(table) =
            executor.plan.buffer_with(Role::Table).and_then(|at| executor.buffers[at].as_ref())
        {
            let scale = byte_scale();
            executor.gpu.queue().write_buffer(table, 0, bytemuck::cast_slice(&scale));
        }
        Ok(executor)
    }

    /// The kernel variant that runs each step of the plan.
    pub fn variants(&self) -> Vec<&'static str> {
        self.steps.iter().map(|step| step.variant).collect()
    }

    /// Makes the step table, the order and the metrics long enough for a pass.
    fn make_room(&mut self, rows: usize, order: usize) -> Result<(), GpuError> {
        let have = self.table.as_ref().map_or((0, 0), |table| table.capacity);
        if rows <= have.0 && order <= have.1 {
            return Ok(());
        }
        let (rows, order) = (rows.max(have.0), order.max(have.1));
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let buffer = self.gpu.buffer("step table", self.gpu.step_stride() * rows as u64, usage)?;
        let size = wgpu::BufferSize::new(size_of::<StepParams>() as u64);
        let bound = self.gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("step"),
            layout: self.gpu.step_layout(),
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: &buffer,
                    offset: 0,
                    size,
                }),
            }],
        });
        for (place, buffer) in self.plan.buffers.iter().enumerate() {
            let len = match buffer.role {
                Role::Order => order,
                Role::Metrics => rows,
                _ => continue,
            };
            let bytes = (len * size_of::<u32>()) as u64;
            self.buffers[place] = Some(self.gpu.buffer(&buffer.name, bytes, STORAGE)?);
        }
        self.table = Some(StepTable { buffer, bound, capacity: (rows, order) });
        for step in &mut self.steps {
            step.bound = [None, None];
        }
        Ok(())
    }

    /// Binds the arguments of every step of a phase that are not bound yet.
    fn bind(&mut self, phase: Phase, slot: DataSlot) -> Result<(), GpuError> {
        let data = self.data[slot as usize].as_ref();
        for (index, step) in self.plan.steps_of(phase) {
            let built = &mut self.steps[index];
            if built.bound[slot as usize].is_some() {
                continue;
            }
            let mut resources = Vec::new();
            for tensor in &step.args {
                let buffer = &self.plan.buffers[tensor.buffer];
                resources.push(match (&self.buffers[tensor.buffer], buffer.name.as_str()) {
                    (Some(own), _) => own,
                    (None, "images") => &data.ok_or(GpuError::NoData)?.images,
                    (None, _) => &data.ok_or(GpuError::NoData)?.labels,
                });
            }
            let entries: Vec<_> = resources
                .iter()
                .zip(0..)
                .map(|(buffer, binding)| wgpu::BindGroupEntry {
                    binding,
                    resource: buffer.as_entire_binding(),
                })
                .collect();
            built.bound[slot as usize] =
                Some(self.gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
                    label: Some(&step.name),
                    layout: &built.kernel.arguments,
                    entries: &entries,
                }));
        }
        Ok(())
    }

    /// Encodes the plan for some rows of the step table: one compute pass.
    fn encode(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        phase: Phase,
        slot: DataSlot,
        rows: std::ops::Range<usize>,
    ) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("steps"),
            timestamp_writes: None,
        });
        for row in rows {
            for (index, _) in self.plan.steps_of(phase) {
                self.dispatch(&mut pass, index, slot, row);
            }
        }
    }

    /// Encodes one step of the plan for one row of the step table.
    fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, index: usize, slot: DataSlot, row: usize) {
        let step = &self.steps[index];
        pass.set_pipeline(&step.kernel.pipeline);
        pass.set_bind_group(0, &step.bound[slot as usize], &[]);
        if step.kernel.reads_step {
            let offset = (row as u64 * self.gpu.step_stride()) as u32;
            pass.set_bind_group(1, self.table.as_ref().map(|table| &table.bound), &[offset]);
        }
        let [x, y] = step.kernel.groups;
        pass.dispatch_workgroups(x, y, 1);
    }

    /// Copies the figures of some rows into a staging buffer: losses, then counts.
    fn copy_metrics(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        staging: &wgpu::Buffer,
        rows: &std::ops::Range<usize>,
    ) {
        let word = size_of::<u32>() as u64;
        for (place, buffer) in self.plan.buffers.iter().enumerate() {
            let to = match (buffer.role, buffer.dtype) {
                (Role::Metrics, Dtype::F32) => 0,
                (Role::Metrics, _) => MAX_STEPS as u64 * word,
                _ => continue,
            };
            if let Some(from) = &self.buffers[place] {
                let first = rows.start as u64 * word;
                encoder.copy_buffer_to_buffer(from, first, staging, to, rows.len() as u64 * word);
            }
        }
    }

    /// Uploads what a pass needs and binds it.
    fn prepare(&mut self, pass: &Pass<'_>) -> Result<(), GpuError> {
        self.make_room(pass.steps.len(), pass.order.len())?;
        self.bind(pass.phase, pass.data)?;
        if let Some(table) = &self.table {
            let rows = self.gpu.step_table(pass.steps);
            self.gpu.queue().write_buffer(&table.buffer, 0, &rows);
        }
        let order = self.plan.buffer_with(Role::Order);
        if let Some(order) = order.and_then(|place| self.buffers[place].as_ref()) {
            self.gpu.queue().write_buffer(order, 0, bytemuck::cast_slice(pass.order));
        }
        Ok(())
    }

    /// Runs a pass; `timer` measures it.
    fn submit(
        &mut self,
        pass: &Pass<'_>,
        mut timer: Option<&mut Timer>,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics),
    ) -> Result<(), GpuError> {
        self.prepare(pass)?;
        let mut next = 0;
        while next < pass.steps.len() {
            let mut rows = next..(next + self.flight.steps()).min(pass.steps.len());
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
            let staging = self.flight.staging(&self.gpu, on_metrics)?;
            let begun = Instant::now();
            let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
            self.encode(&mut encoder, pass.phase, pass.data, rows.clone());
            if pass.phase != Phase::Predict {
                self.copy_metrics(&mut encoder, &staging, &rows);
            }
            let commands = encoder.finish();
            let encoded = Instant::now();
            let index = self.gpu.queue().submit([commands]);
            if let Some(timer) = timer.as_deref_mut() {
                timer.submitted(encoded - begun, encoded.elapsed(), rows.len());
            }
            self.flight.depart(index, staging, pass.phase != Phase::Predict, rows.start, rows.len());
            self.gpu.check()?;
        }
        self.flight.land_all(&self.gpu, on_metrics)?;
        if let Some(timer) = timer {
            timer.end_whole();
        }
        Ok(())
    }

    /// Runs one row of a training pass step by step, with nothing else under way: the same kernels in the same order
    /// as [`encode`](Self::encode), so it computes the same bits.
    fn take_apart(
        &mut self,
        pass: &Pass<'_>,
        row: usize,
        timer: &mut Timer,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics),
    ) -> Result<(), GpuError> {
        self.flight.land_all(&self.gpu, on_metrics)?;
        timer.end_whole();
        let steps: Vec<usize> = self.plan.steps_of(pass.phase).map(|(index, _)| index).collect();
        timer.run_steps(&self.gpu, &steps, &|passes, index| self.dispatch(passes, index, pass.data, row))?;
        let staging = self.flight.staging(&self.gpu, on_metrics)?;
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        self.copy_metrics(&mut encoder, &staging, &(row..row + 1));
        let index = self.gpu.queue().submit([encoder.finish()]);
        self.flight.depart(index, staging, true, row, 1);
        self.flight.land_all(&self.gpu, on_metrics)
    }

    /// The device buffer that holds a tensor of floats.
    fn floats(&self, tensor: &Tensor) -> Result<&wgpu::Buffer, GpuError> {
        self.buffers[tensor.buffer].as_ref().ok_or(GpuError::NoData)
    }
}

/// A kernel for every step; steps whose shader text is the same share a pipeline.
fn build_steps(gpu: &Gpu, plan: &Plan) -> Result<Vec<BuiltStep>, GpuError> {
    let per_dimension = gpu.limits().max_compute_workgroups_per_dimension;
    let mut built: HashMap<String, BuiltKernel> = HashMap::new();
    let mut steps = Vec::new();
    for Step { name, op, args, .. } in &plan.steps {
        let Some(kernel) = gpu.kernel(op) else {
            return Err(GpuError::Unsupported {
                adapter: gpu.name().to_owned(),
                problem: format!("no kernel for step `{name}`"),
            });
        };
        let bases: Vec<_> = args.iter().map(|tensor| tensor.offset).collect();
        let text = kernel.text(op, &bases, per_dimension);
        let kernel_of_step = match built.get(&text) {
            Some(known) => known.clone(),
            None => {
                let new = kernel.build(gpu, op, &bases, Checks::Off)?;
                built.insert(text, new.clone());
                new
            }
        };
        steps.push(BuiltStep { kernel: kernel_of_step, variant: kernel.variant, bound: [None, None] });
    }
    Ok(steps)
}

impl Executor for GpuExecutor {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn set_data(&mut self, slot: DataSlot, data: &Dataset) -> Result<(), GpuError> {
        check_data(&self.plan.network, data)?;
        // The old set goes first, so that never both are held.
        self.data[slot as usize] = None;
        for step in &mut self.steps {
            step.bound[slot as usize] = None;
        }
        self.data[slot as usize] = Some(ResidentData::upload(&self.gpu, data)?);
        Ok(())
    }

    fn write(&mut self, tensor: &Tensor, values: &[f32]) -> Result<(), GpuError> {
        let offset = (tensor.offset * size_of::<f32>()) as u64;
        let bytes = bytemuck::cast_slice(values);
        self.gpu.queue().write_buffer(self.floats(tensor)?, offset, bytes);
        self.gpu.check()
    }

    fn read(&mut self, tensor: &Tensor) -> Result<Vec<f32>, GpuError> {
        let words = self.gpu.read_words(self.floats(tensor)?, tensor.offset, tensor.len())?;
        Ok(words.into_iter().map(f32::from_bits).collect())
    }

    fn run(
        &mut self,
        pass: &Pass<'_>,
        on_metrics: &mut dyn FnMut(usize, BatchMetrics),
    ) -> Result<(), GpuError> {
        let samples = self.data[pass.data as usize].as_ref().map(|data| data.samples);
        pass.check(&self.plan, samples.ok_or(GpuError::NoData)?)?;
        let mut timer = if pass.phase == Phase::Train { self.timer.take() } else { None };
        let result = self.submit(pass, timer.as_mut(), on_metrics);
        if timer.is_some() {
            self.timer = timer;
        }
        if result.is_err() {
            self.flight.abandon();
        }
        result
    }

    fn profile(&mut self, sampling: Sampling) -> Result<(), GpuError> {
        let timer = match self.timer.take() {
            Some(timer) => timer,
            None => {
                let training = self.plan.steps_of(Phase::Train).count();
                Timer::new(&self.gpu, self.plan.steps.len(), training)?
            }
        };
        self.timer.insert(timer).sample(sampling);
        Ok(())
    }

    fn take_profile(&mut self) -> Option<Profile> {
        self.timer.take().map(Timer::finish)
    }
}
