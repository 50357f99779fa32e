//! The best rates of an adapter: one kernel that does nothing but multiply-adds, and one that does nothing but copy.

use super::timing::Stamps;
use super::{Gpu, GpuError};
use crate::ops::kit::{Source, shader};
use crate::wait::{self, Instant};

/// Invocations of a workgroup of a probe.
const WORKGROUP: u32 = 64;
/// How often a probe is run; the fastest run counts.
const RUNS: usize = 12;
/// A dispatch of this many seconds makes the overhead around it negligible.
const LONG_ENOUGH: f64 = 0.01;

/// Rounds of `multiply_add`, each of 16 multiply-adds on 3 vec4 accumulators.
const ROUNDS: u32 = 1024;
/// Multiply-adds of one invocation on one component of all three accumulators; the check of the results makes sure of
/// it.
const MULTIPLY_ADDS: u32 = 16 * 3 * ROUNDS;
/// Invocations whose numbers differ by this start with the same values.
const START_PERIOD: u32 = 256;
/// The factor and the summand: small enough that f32 holds every sum.
const TERMS: [f32; 2] = [1.0, 1.0];
/// The fewest and the most workgroups of `multiply_add`: from a processor to the largest graphics card.
const GROUPS: [u32; 2] = [16, 16_384];

/// vec4s that one invocation of `stream_copy` copies.
const COPIES: u32 = 4;
/// Bytes of each of the two buffers of `stream_copy`, where the adapter allows it: larger than its caches.
const STREAM: u64 = 128 << 20;
/// Bytes of one vec4.
const VEC4: u64 = 16;
/// Bytes moved at a time between host and device, which keeps staging memory small.
const CHUNK: usize = 4 << 20;

/// A probe: its shader and the constants in front of it.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// The file is `probe/<name>.wgsl`.
    pub name: &'static str,
    /// Its file.
    pub source: Source,
    /// Invocations of one workgroup.
    pub workgroup: u32,
    /// Iterations, over all its loops, of one invocation.
    pub iterations: u32,
    constants: &'static [(&'static str, u32)],
}

impl Probe {
    /// The WGSL text: a header of constants, then the file.
    pub fn text(&self) -> String {
        let constants = self.constants.iter().copied().chain([("WORKGROUP_SIZE", self.workgroup)]);
        let header: String = constants.map(|(name, value)| format!("const {name} = {value}u;\n")).collect();
        header + self.source.text
    }
}

const MULTIPLY_ADD: Probe = Probe {
    name: "multiply_add",
    source: shader!("probe/multiply_add.wgsl"),
    workgroup: WORKGROUP,
    iterations: ROUNDS,
    constants: &[("ROUNDS", ROUNDS), ("START_PERIOD", START_PERIOD)],
};

const STREAM_COPY: Probe = Probe {
    name: "stream_copy",
    source: shader!("probe/stream_copy.wgsl"),
    workgroup: WORKGROUP,
    iterations: COPIES,
    constants: &[("COPIES", COPIES)],
};

/// Every probe.
pub const PROBES: &[Probe] = &[MULTIPLY_ADD, STREAM_COPY];

/// The best rates of an adapter, as measured by its probes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Roofs {
    /// Floating-point operations a second; a multiply-add counts as two.
    pub flops: f64,
    /// Bytes read from and written to memory a second, both together.
    pub bytes: f64,
}

impl Roofs {
    /// The least time in seconds that a step of this many operations and bytes can take: max(flops / peak, bytes / peak).
    pub fn seconds(&self, flops: u64, bytes: u64) -> f64 {
        (flops as f64 / self.flops).max(bytes as f64 / self.bytes)
    }

    /// Runs the probes, and checks what they computed.
    ///
    /// # Errors
    /// When the device has no memory for them, or computes other results than their formulas.
    pub fn measure(gpu: &Gpu) -> Result<Self, GpuError> {
        Ok(Roofs { flops: multiply_add(gpu)?, bytes: stream_copy(gpu)? })
    }
}

fn multiply_add(gpu: &Gpu) -> Result<f64, GpuError> {
    let [fewest, most] = GROUPS;
    let most = most.min(gpu.limits().max_compute_workgroups_per_dimension);
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
    let terms = gpu.buffer("probe terms", size_of_val(&TERMS) as u64, usage)?;
    gpu.upload(&terms, 0, bytemuck::cast_slice(&TERMS));
    let result = gpu.buffer("probe result", u64::from(most * WORKGROUP) * VEC4, usage)?;
    let bench = Bench::new(gpu, &MULTIPLY_ADD, [&terms, &result])?;
    let mut groups = fewest;
    while groups * 2 <= most && bench.run(groups)? < LONG_ENOUGH {
        groups *= 2;
    }
    let seconds = bench.fastest(groups)?;
    let invocations = groups * WORKGROUP;
    let words = gpu.read_words(&result, 0, invocations as usize * 4)?;
    for (place, word) in words.into_iter().enumerate() {
        let (found, expected) = (f32::from_bits(word), multiply_add_twin(place));
        if found != expected {
            return Err(wrong(gpu, &MULTIPLY_ADD, place, found, expected));
        }
    }
    Ok(f64::from(invocations) * f64::from(MULTIPLY_ADDS) * 4.0 * 2.0 / seconds)
}

/// Word `place` of the result of `multiply_add`: see its formula.
fn multiply_add_twin(place: usize) -> f32 {
    let (invocation, component) = (place as u32 / 4, place as u32 % 4);
    let start = (invocation % START_PERIOD + component) as f32;
    (start + (start + 4.0) + (start + 8.0)) + MULTIPLY_ADDS as f32 * TERMS[1]
}

fn stream_copy(gpu: &Gpu) -> Result<f64, GpuError> {
    let limits = gpu.limits();
    let allowed = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
    let block = u64::from(COPIES * WORKGROUP) * VEC4;
    let groups = (STREAM.min(allowed) / block).min(limits.max_compute_workgroups_per_dimension.into());
    let bytes = groups * block;
    let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
    let original = gpu.buffer("probe original", bytes, usage)?;
    let copy = gpu.buffer("probe copy", bytes, usage)?;
    let words = bytes as usize / size_of::<u32>();
    let chunk = CHUNK / size_of::<u32>();
    for first in (0..words).step_by(chunk) {
        let pattern: Vec<u32> = (first..words.min(first + chunk)).map(pattern).collect();
        let offset = (first * size_of::<u32>()) as u64;
        gpu.upload(&original, offset, bytemuck::cast_slice(&pattern));
        let submission = gpu.flush();
        gpu.wait(submission)?;
    }
    let seconds = Bench::new(gpu, &STREAM_COPY, [&original, &copy])?.fastest(groups as u32)?;
    for first in (0..words).step_by(chunk) {
        for (place, word) in (first..).zip(gpu.read_words(&copy, first, chunk.min(words - first))?) {
            if word != pattern(place) {
                return Err(wrong(gpu, &STREAM_COPY, place, word, pattern(place)));
            }
        }
    }
    Ok(2.0 * bytes as f64 / seconds)
}

/// Word `place` of what is copied: neighbours differ, and nothing repeats (2^32 divided by the golden ratio).
fn pattern(place: usize) -> u32 {
    (place as u32).wrapping_mul(0x9E37_79B9)
}

fn wrong<T: std::fmt::Display>(gpu: &Gpu, probe: &Probe, place: usize, found: T, expected: T) -> GpuError {
    GpuError::Unsupported {
        adapter: gpu.name().to_owned(),
        problem: format!("element {place} of probe `{}` is {found}, not {expected}", probe.name),
    }
}

/// A probe ready to run.
struct Bench<'a> {
    gpu: &'a Gpu,
    pipeline: wgpu::ComputePipeline,
    bound: wgpu::BindGroup,
    stamps: Option<Stamps>,
}

impl<'a> Bench<'a> {
    /// Compiles a probe without runtime checks, as the kernels are, and binds its buffers.
    fn new(gpu: &'a Gpu, probe: &Probe, buffers: [&wgpu::Buffer; 2]) -> Result<Self, GpuError> {
        let device = gpu.device();
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(probe.name),
            source: wgpu::ShaderSource::Wgsl(probe.text().into()),
        };
        // SAFETY: the only texts are those of `PROBES`. Their loops have constant bounds, and no invocation accesses
        // its buffers out of bounds: `multiply_add` has one vec4 per invocation of its largest dispatch,
        // `stream_copy` COPIES.
        let module = unsafe {
            device.create_shader_module_trusted(descriptor, wgpu::ShaderRuntimeChecks::unchecked())
        };
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(probe.name),
            layout: None,
            module: &module,
            entry_point: Some("main"),
            compilation_options: Default::default(),
            cache: None,
        });
        let entries: Vec<_> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let bound = gpu.bind_group(probe.name, &pipeline.get_bind_group_layout(0), &entries);
        if let Some(error) = wait::block_on(scope.pop()) {
            let kernel = format!("probe {}", probe.name);
            let place = format!("shaders/{}", probe.source.file);
            return Err(GpuError::Kernel { kernel, place, message: error.to_string() });
        }
        Ok(Bench { gpu, pipeline, bound, stamps: Stamps::new(gpu, 1)? })
    }

    /// Runs it once; returns the seconds it took.
    fn run(&self, groups: u32) -> Result<f64, GpuError> {
        let mut encoder = self.gpu.device().create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: Some("probe"),
                timestamp_writes: self.stamps.as_ref().map(|stamps| stamps.of_pass(0)),
            });
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.bound, &[]);
            pass.dispatch_workgroups(groups, 1, 1);
        }
        if let Some(stamps) = &self.stamps {
            stamps.resolve(&mut encoder);
        }
        let commands = encoder.finish();
        let begun = Instant::now();
        let submission = self.gpu.submit(commands);
        self.gpu.wait(submission)?;
        let waited = begun.elapsed().as_secs_f64();
        let stamped = self.stamps.as_ref().map(|stamps| stamps.read(self.gpu)).transpose()?;
        // If a device counts no ticks in between, its counter is too coarse to be useful.
        let stamped = stamped.and_then(|seconds| seconds.into_iter().find(|&seconds| seconds > 0.0));
        Ok(stamped.unwrap_or(waited))
    }

    /// The least time of several runs: the rate when nothing else slows the adapter down.
    fn fastest(&self, groups: u32) -> Result<f64, GpuError> {
        let mut fastest = f64::INFINITY;
        for _ in 0..RUNS {
            fastest = fastest.min(self.run(groups)?);
        }
        Ok(fastest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_the_multiply_add_probe_are_exact() {
        let largest = multiply_add_twin((START_PERIOD as usize - 1) * 4 + 3);
        assert!(largest < 16_777_216.0, "{largest} is beyond the whole numbers that f32 holds");
    }

    #[test]
    fn a_step_is_bound_by_the_scarcer_of_both() {
        let roofs = Roofs { flops: 10.0, bytes: 2.0 };
        assert_eq!([roofs.seconds(100, 4), roofs.seconds(10, 40)], [10.0, 20.0]);
    }
}
