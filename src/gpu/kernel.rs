//! From a row of the kernel table to a compute pipeline.

use super::constants::{Constant, constants};
use super::source::Source;
use super::{Gpu, GpuError};
use crate::plan::{Access, Op};

/// The type of the elements of a binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// One float.
    F32,
    /// One float or four, as many as the kernel's `Real` has.
    Real,
    /// Four floats.
    Vec4F32,
    /// One integer, or four bytes.
    U32,
    /// Two integers.
    Vec2U32,
    /// One integer that several invocations may write at once.
    AtomicU32,
    /// Eight floats, as four integers of 64 bits.
    EightF32,
}

impl Element {
    /// What it is in a kernel of this [`Kernel::width`].
    pub fn by(self, width: usize) -> Self {
        match self {
            Element::Real if width == 1 => Element::F32,
            Element::Real => Element::Vec4F32,
            other => other,
        }
    }

    /// Number of 32-bit words in a kernel of this [`Kernel::width`].
    pub fn words(self, width: usize) -> usize {
        match self {
            Element::Real => width,
            Element::F32 | Element::U32 | Element::AtomicU32 => 1,
            Element::Vec2U32 => 2,
            Element::Vec4F32 => 4,
            Element::EightF32 => 8,
        }
    }
}

/// One way to run one step kind: a row of [`KERNELS`](super::KERNELS).
#[derive(Debug, Clone, Copy)]
pub struct Kernel {
    /// The step kind, as [`Op::kind`].
    pub kind: &'static str,
    /// What sets it apart from the other kernels of its kind.
    pub variant: &'static str,
    /// Its own file; its first lines say which others come before it.
    pub source: Source,
    /// Element types of the bindings, in the order of [`Op::args`].
    pub elements: &'static [Element],
    /// Components of the shader's `Real` and `Index`: 1 or 4.
    pub width: usize,
    /// Invocations of one workgroup, all along x.
    pub workgroup: u32,
    /// The subgroup size that it is written for; `None` for a kernel without subgroups.
    pub lanes: Option<u32>,
    /// Whether it is chosen on GPUs only, though it can run on drivers that compute on the processor.
    pub hardware: bool,
    /// Whether it reads `StepParams`.
    pub reads_step: bool,
    /// Further constants, such as the sizes of a register tile, by the names that the shader uses.
    pub tile: fn(&Op) -> Vec<(&'static str, usize)>,
    /// Whether it can run this step.
    pub fits: fn(&Op) -> bool,
    /// In a row of the table: which steps the same file can run with four floats to a `Real`. Such a row stands for two kernels, that
    /// one first; a kernel of [`KERNELS`](super::KERNELS) has `None`.
    pub by_four: Option<fn(&Op) -> bool>,
    /// How many invocations this step takes, with so many floats to a `Real`.
    pub invocations: fn(&Op, usize) -> usize,
}

/// Which checks the shader compiler adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// Bounds of memory and of loops are checked while running.
    On,
    /// None are: what training uses, since `verify` runs every kernel both ways.
    Off,
}

/// A kernel made for one step.
#[derive(Debug, Clone)]
pub struct BuiltKernel {
    /// The pipeline.
    pub pipeline: wgpu::ComputePipeline,
    /// Layout of group 0, the arguments.
    pub arguments: wgpu::BindGroupLayout,
    /// Workgroups along x and y.
    pub groups: [u32; 2],
    /// Whether group 1, the step's parameters, is needed.
    pub reads_step: bool,
}

impl Kernel {
    /// `kind (variant)`, for messages.
    pub fn title(&self) -> String {
        format!("{} ({})", self.kind, self.variant)
    }

    /// How many invocations a step takes.
    pub fn invocations(&self, op: &Op) -> usize {
        (self.invocations)(op, self.width)
    }

    /// Workgroups along x and y; groups past the limit of one dimension are folded into y.
    pub fn groups(&self, op: &Op, per_dimension: u32) -> [u32; 2] {
        let groups = self.invocations(op).div_ceil(self.workgroup as usize).max(1);
        let x = groups.min(per_dimension as usize);
        [x as u32, groups.div_ceil(x) as u32]
    }

    /// The WGSL text for one step: a header of constants, the imported files, the kernel's own file.
    ///
    /// `bases` says where each argument begins in its binding, in 32-bit words.
    pub fn text(&self, op: &Op, bases: &[usize], per_dimension: u32) -> String {
        let mut text = self.header(op, bases, per_dimension);
        for source in self.files() {
            text += source.text;
        }
        text
    }

    /// Its own file behind those that it imports.
    pub fn files(&self) -> Vec<Source> {
        self.source.with_imports(self.width)
    }

    fn header(&self, op: &Op, bases: &[usize], per_dimension: u32) -> String {
        let (real, index) = if self.width == 4 { ("vec4<f32>", "vec4<u32>") } else { ("f32", "u32") };
        let mut text = format!("alias Real = {real};\nalias Index = {index};\n");
        let mut list = vec![
            ("WIDTH".to_owned(), Constant::U32(self.width)),
            ("WORKGROUP_SIZE".to_owned(), Constant::U32(self.workgroup as usize)),
            ("GROUPS_X".to_owned(), Constant::U32(self.groups(op, per_dimension)[0] as usize)),
            ("INVOCATIONS".to_owned(), Constant::U32(self.invocations(op))),
        ];
        for ((spec, element), base) in op.args().iter().zip(self.elements).zip(bases) {
            let name = format!("{}_BASE", spec.name.to_uppercase());
            list.push((name, Constant::U32(base / element.words(self.width))));
        }
        list.extend(self.lanes.map(|lanes| ("LANES".to_owned(), Constant::U32(lanes as usize))));
        list.extend(constants(op).into_iter().map(|(name, value)| (name.to_owned(), value)));
        let tile = (self.tile)(op).into_iter();
        list.extend(tile.map(|(name, value)| (name.to_owned(), Constant::U32(value))));
        for (name, value) in list {
            text += &value.declare(&name);
        }
        text
    }

    /// File and line of a line of [`Kernel::text`], both counted from 1.
    pub fn locate(&self, op: &Op, bases: &[usize], per_dimension: u32, line: usize) -> String {
        let header = self.header(op, bases, per_dimension).lines().count();
        if line <= header {
            return format!("generated header, line {line}");
        }
        let mut left = line - header;
        for source in self.files() {
            let lines = source.text.lines().count();
            if left <= lines {
                return format!("shaders/{}:{left}", source.file);
            }
            left -= lines;
        }
        format!("shaders/{}, after its end", self.source.file)
    }

    /// Makes the pipeline for one step.
    ///
    /// # Errors
    /// When the shader compiler or the driver refuses it; names the file and line where that is known.
    pub fn build(
        &self,
        gpu: &Gpu,
        op: &Op,
        bases: &[usize],
        checks: Checks,
    ) -> Result<BuiltKernel, GpuError> {
        self.build_folded(gpu, op, bases, checks, gpu.limits().max_compute_workgroups_per_dimension)
    }

    /// Like [`Kernel::build`], with groups folded into y as if the device allowed only `per_dimension` of them in
    /// each dimension: what a large step does, in a small one.
    ///
    /// # Errors
    /// As [`Kernel::build`].
    pub fn build_folded(
        &self,
        gpu: &Gpu,
        op: &Op,
        bases: &[usize],
        checks: Checks,
        per_dimension: u32,
    ) -> Result<BuiltKernel, GpuError> {
        let [x, y] = self.groups(op, per_dimension);
        if y > per_dimension {
            return Err(gpu.limit_error(
                self.title(),
                "max_compute_workgroups_per_dimension",
                u64::from(y),
                u64::from(per_dimension),
            ));
        }
        let text = self.text(op, bases, per_dimension);
        let module = self.module(gpu, &text, checks, |line| self.locate(op, bases, per_dimension, line))?;
        let arguments = self.arguments_layout(gpu, op);
        let scope = gpu.device().push_error_scope(wgpu::ErrorFilter::Validation);
        let step = gpu.step_layout();
        let groups: &[_] =
            if self.reads_step { &[Some(&arguments), Some(step)] } else { &[Some(&arguments)] };
        let layout = gpu.device().create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(self.kind),
            bind_group_layouts: groups,
            immediate_size: 0,
        });
        let pipeline = gpu.device().create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(self.kind),
            layout: Some(&layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &[],
                // No kernel reads workgroup memory that it did not write.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(self.error("pipeline", error));
        }
        Ok(BuiltKernel { pipeline, arguments, groups: [x, y], reads_step: self.reads_step })
    }

    fn module(
        &self,
        gpu: &Gpu,
        text: &str,
        checks: Checks,
        locate: impl Fn(usize) -> String,
    ) -> Result<wgpu::ShaderModule, GpuError> {
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(self.kind),
            source: wgpu::ShaderSource::Wgsl(text.into()),
        };
        let scope = gpu.device().push_error_scope(wgpu::ErrorFilter::Validation);
        let module = match checks {
            Checks::On => gpu.device().create_shader_module(descriptor),
            // SAFETY: the only text compiled is that of the kernel table. Every index in it is derived from the
            // sizes that its buffers were allocated with, or is a sample number or label that the host has checked;
            // every loop has a bound. `verify` runs all of it with checks on and off, between guard bands.
            Checks::Off => unsafe {
                let unchecked = wgpu::ShaderRuntimeChecks::unchecked();
                gpu.device().create_shader_module_trusted(descriptor, unchecked)
            },
        };
        let Some(error) = pollster::block_on(scope.pop()) else {
            return Ok(module);
        };
        let info = pollster::block_on(module.get_compilation_info());
        let line = info.messages.iter().find_map(|message| message.location);
        let place = line.map_or("shader".to_owned(), |at| locate(at.line_number as usize));
        Err(self.error(&place, error))
    }

    fn error(&self, place: &str, error: wgpu::Error) -> GpuError {
        GpuError::Kernel { kernel: self.title(), place: place.to_owned(), message: error.to_string() }
    }

    fn arguments_layout(&self, gpu: &Gpu, op: &Op) -> wgpu::BindGroupLayout {
        let entries: Vec<_> = op
            .args()
            .iter()
            .zip(0..)
            .map(|(spec, binding)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage { read_only: spec.access == Access::In },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        gpu.device().create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(self.kind),
            entries: &entries,
        })
    }
}
