//! The plan as text: every step with its arguments and cost, every buffer, and what they come to.

use std::fmt::Write;

use super::{Access, ArgSpec, Buffer, DATA, Dtype, Op, Phase, Plan, Role, Stage, Step, Tensor};
use crate::data::{DataPart, TargetKind};
use crate::model::{bytes, thousands};

/// Every role, in the order in which they are listed.
const ROLES: [Role; 16] = [
    Role::Parameters,
    Role::Gradients,
    Role::OptimizerState,
    Role::Activation,
    Role::ActivationGradient,
    Role::Statistics,
    Role::Scratch,
    Role::Table,
    Role::Zeros,
    Role::Data(DataPart::Samples),
    Role::Data(DataPart::Targets),
    Role::Data(DataPart::Weights),
    Role::Order,
    Role::Transforms,
    Role::Metrics,
    Role::Tripwire,
];

impl Plan {
    /// The whole plan as text of at most 120 columns: for each step its kind, the kernel that `kernel` names for it,
    /// its stage, the bytes that it reads and writes and its FLOPs, its arguments, and the file that `file` names; then the buffers, then
    /// totals.
    ///
    /// Bytes count each argument once, which is the least that can move; FLOPs are those of [`Op::flops`]. Both are
    /// for a full batch.
    pub fn explain(&self, kernel: &dyn Fn(&Op) -> String, file: &dyn Fn(&Op) -> Option<String>) -> String {
        let mut text = format!(
            "Plan of model \"{}\" for batches of {}: {} steps, {} buffers\n\n",
            self.network.name,
            self.batch,
            self.steps.len(),
            self.buffers.len()
        );
        self.render_steps(&mut text, kernel, file);
        self.render_buffers(&mut text);
        self.render_totals(&mut text);
        text
    }

    /// Bytes by role, for the roles whose size the plan decides.
    pub fn memory(&self) -> Vec<(Role, u64)> {
        let of = |role| self.buffers.iter().filter(move |buffer| buffer.role == role);
        ROLES
            .into_iter()
            .map(|role| (role, of(role).map(Buffer::bytes).sum::<u64>()))
            .filter(|&(_, bytes)| bytes > 0)
            .collect()
    }

    /// FLOPs of one batch in a phase; see [`Op::flops`].
    pub fn flops(&self, phase: Phase) -> u64 {
        self.steps_of(phase).map(|(_, step)| step.op.flops()).sum()
    }

    fn render_steps(
        &self,
        text: &mut String,
        kernel: &dyn Fn(&Op) -> String,
        file: &dyn Fn(&Op) -> Option<String>,
    ) {
        put(
            text,
            format_args!(
                "{:>3}  {:<24} {:<30} {:<18} {:<8} {:>9} {:>9} {:>9}",
                "#", "Step", "Kind", "Kernel", "Stage", "Read", "Written", "FLOPs"
            ),
        );
        for (index, step) in self.steps.iter().enumerate() {
            let traffic = |access: Access| {
                let moved = step.op.args().into_iter().zip(&step.args);
                let moved = moved.filter(|(spec, _)| spec.access == access || spec.access == Access::InOut);
                moved.map(|(spec, tensor)| self.traffic(&step.op, &spec, tensor)).sum::<u64>()
            };
            put(
                text,
                format_args!(
                    "{:>3}  {:<24} {:<30} {:<18} {:<8} {:>9} {:>9} {:>9}",
                    index + 1,
                    step.name,
                    step.op.kind(),
                    kernel(&step.op),
                    step.stage.to_string(),
                    bytes(traffic(Access::In) as usize),
                    bytes(traffic(Access::Out) as usize),
                    short(step.op.flops()),
                ),
            );
            self.render_args(text, step);
            if let Some(file) = file(&step.op) {
                put(text, format_args!("       {:<6} {file}", "file"));
            }
        }
        text.push('\n');
    }

    fn render_args(&self, text: &mut String, step: &Step) {
        for (spec, tensor) in step.op.args().iter().zip(&step.args) {
            let buffer = &self.buffers[tensor.buffer];
            let place = match tensor.offset {
                0 => buffer.name.clone(),
                offset => format!("{} from {}", buffer.name, thousands(offset)),
            };
            put(
                text,
                format_args!(
                    "       {:<6} {:<14} {:<32} {}",
                    spec.access.to_string(),
                    spec.name,
                    place,
                    shape(&tensor.shape, buffer)
                ),
            );
        }
    }

    fn render_buffers(&self, text: &mut String) {
        put(
            text,
            format_args!("{:<38} {:<22} {:<5} {:>14} {:>12}", "Buffer", "Role", "Type", "Elements", "Bytes"),
        );
        for buffer in &self.buffers {
            let (elements, size) = match buffer.len {
                DATA => (format!("per {}", counted_by(buffer.role)), "-".to_owned()),
                len => (thousands(len), bytes(buffer.bytes() as usize)),
            };
            put(
                text,
                format_args!(
                    "{:<38} {:<22} {:<5} {:>14} {:>12}",
                    buffer.name,
                    buffer.role.to_string(),
                    buffer.dtype.to_string(),
                    elements,
                    size
                ),
            );
        }
        text.push('\n');
    }

    fn render_totals(&self, text: &mut String) {
        put(text, format_args!("Memory, the data set not counted"));
        for (role, size) in self.memory() {
            put(text, format_args!("  {:<34} {:>12}", role.to_string(), bytes(size as usize)));
        }
        put(text, format_args!("  {:<34} {:>12}", "all", bytes(self.bytes() as usize)));
        put(
            text,
            format_args!(
                "  and for each sample {} bytes of data and 4 of its place in the order, for each batch 8 of metrics",
                self.bytes_per_sample()
            ),
        );
        text.push('\n');
        put(
            text,
            format_args!(
                "{:<12} {:>10} {:>20} {:>20}",
                "Phase", "Dispatches", "FLOPs per batch", "per image"
            ),
        );
        for (name, phase) in
            [("training", Phase::Train), ("evaluation", Phase::Evaluate), ("prediction", Phase::Predict)]
        {
            let flops = self.flops(phase) as usize;
            put(
                text,
                format_args!(
                    "{:<12} {:>10} {:>20} {:>20}",
                    name,
                    self.steps_of(phase).count(),
                    thousands(flops),
                    thousands(flops / self.batch)
                ),
            );
        }
    }

    /// Bytes that one sample of a data set takes on a device: its input, up to a whole word, its target, and its weight.
    pub fn bytes_per_sample(&self) -> usize {
        DataPart::ALL.map(|part| self.stride(part)).iter().sum()
    }

    /// Bytes from one sample to the next in a part of a data set, 0 where the plan does not read it.
    pub fn stride(&self, part: DataPart) -> usize {
        let size = self.network.input_shape.len();
        let words = match part {
            DataPart::Samples if self.form.values => size,
            DataPart::Samples => super::image_stride(size) / size_of::<u32>(),
            DataPart::Targets if self.network.target == TargetKind::Classes => 1,
            DataPart::Targets => self.network.outputs(),
            DataPart::Weights => usize::from(self.form.weighted),
        };
        words * size_of::<u32>()
    }

    /// Bytes that one execution of a step reads and writes, for a full batch: each argument once, one that is both read
    /// and written twice.
    pub fn step_bytes(&self, step: &Step) -> u64 {
        let moved = step.op.args().into_iter().zip(&step.args);
        let times = |access| if access == Access::InOut { 2 } else { 1 };
        moved.map(|(spec, tensor)| times(spec.access) * self.traffic(&step.op, &spec, tensor)).sum()
    }

    /// Bytes that one execution moves for an argument: of the data set a batch, of the metrics one element, of an arena the
    /// weights that are updated.
    fn traffic(&self, op: &Op, spec: &ArgSpec, tensor: &Tensor) -> u64 {
        let in_data = match self.buffers[tensor.buffer].role {
            Role::Metrics => 1,
            _ => self.batch,
        };
        let updated = op.touched().unwrap_or_default();
        let moved = |dim: usize| match dim {
            DATA => in_data,
            dim if dim == updated[1] => updated[0],
            dim => dim,
        };
        let elements: usize = spec.shape.iter().map(|&dim| moved(dim)).product();
        elements as u64 * spec.dtype.bytes()
    }
}

/// What decides the length of a buffer that the plan does not size.
fn counted_by(role: Role) -> &'static str {
    match role {
        Role::Metrics => "batch",
        _ => "sample",
    }
}

/// `[64, 28, 28, 1]`, with the name of what is counted for a dimension that the plan does not decide.
fn shape(dims: &[usize], buffer: &Buffer) -> String {
    let dims: Vec<String> = dims
        .iter()
        .map(|&dim| if dim == DATA { format!("{}s", counted_by(buffer.role)) } else { dim.to_string() })
        .collect();
    format!("[{}]", dims.join(", "))
}

/// A count in thousands, millions or billions: `44.3 M`.
fn short(count: u64) -> String {
    let mut value = count as f64;
    let mut unit = "";
    for larger in [" k", " M", " G", " T"] {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    if unit.is_empty() { count.to_string() } else { format!("{value:.1}{unit}") }
}

/// Appends a line, without the spaces at its end.
fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{line}");
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Role::Parameters => "parameters",
            Role::Gradients => "gradients",
            Role::OptimizerState => "optimizer state",
            Role::Activation => "activations",
            Role::ActivationGradient => "activation gradients",
            Role::Statistics => "statistics",
            Role::Scratch => "scratch",
            Role::Table => "tables",
            Role::Zeros => "zeros",
            Role::Data(_) => "data set",
            Role::Order => "order of samples",
            Role::Transforms => "transforms",
            Role::Metrics => "metrics",
            Role::Tripwire => "tripwire",
        })
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Stage::Input => "input",
            Stage::Target => "target",
            Stage::Forward => "forward",
            Stage::Output => "output",
            Stage::Loss => "loss",
            Stage::Penalty | Stage::PenaltyGradient => "penalty",
            Stage::Backward => "backward",
            Stage::Update => "update",
            Stage::Inference => "infer",
            Stage::Judgement => "judge",
        })
    }
}

impl std::fmt::Display for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Access::In => "in",
            Access::Out => "out",
            Access::InOut => "in out",
        })
    }
}

impl std::fmt::Display for Dtype {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Dtype::F32 => "f32",
            Dtype::U32 => "u32",
            Dtype::Bytes => "u8",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::ModelFile;
    use crate::model::{Loss, Optimizer};

    fn tutorial() -> Plan {
        let network = ModelFile::tutorial().unwrap().model.network().unwrap();
        Plan::build(&network, Loss::default(), Optimizer::default(), 64).unwrap()
    }

    #[test]
    fn every_step_and_buffer_is_there_within_120_columns() {
        let plan = tutorial();
        let text = plan.explain(&|_| "scalar".to_owned(), &|op| Some(format!("shaders/{}.wgsl", op.kind())));
        for name in plan.steps.iter().map(|step| &step.name).chain(plan.buffers.iter().map(|b| &b.name)) {
            assert!(text.contains(name.as_str()), "{name} is missing from\n{text}");
        }
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(120), "{widest:?} columns");
    }

    #[test]
    fn costs_are_those_of_the_arguments() {
        let text = tutorial().explain(&|_| "k".to_owned(), &|_| None);
        // 64 images of 784 bytes, 64 places of 4 bytes and the table of 256 floats; 64 x 784 floats written.
        let gather = text.lines().find(|line| line.contains("gather_images")).unwrap();
        assert!(gather.contains("50.25 KB 196.00 KB         0"), "{gather}");
        // 64 * 26 * 26 positions, 32 channels, 9 multiply-adds and the bias.
        let conv = text.lines().find(|line| line.contains("conv2d_forward")).unwrap();
        assert!(conv.ends_with("26.3 M"), "{conv}");
        let metrics = text.lines().find(|line| line.contains("batch_metrics")).unwrap();
        assert!(metrics.contains("8.00 B"), "{metrics}");
    }

    #[test]
    fn memory_by_role_adds_up() {
        let plan = tutorial();
        assert_eq!(plan.memory().iter().map(|(_, bytes)| bytes).sum::<u64>(), plan.bytes());
    }
}
