//! Choosing where a plan runs. On Linux a program without a desktop may want [`mesa_runtime_dir`] first.

mod mesa;

use std::cmp::Reverse;
use std::str::FromStr;
use std::sync::Arc;

use crate::cpu::CpuExecutor;
use crate::executor::Executor;
use crate::gpu::backend::nothing_looked_at;
use crate::gpu::names::{apart, listed, meant_by};
use crate::gpu::{
    AdapterReport, Choices, DeviceKind, Gpu, GpuError, GpuExecutor, Streaming, adapters, check_failures,
};
use crate::ops::fused;
use crate::plan::{Op, Plan, Tensor};

pub use mesa::mesa_runtime_dir;

/// Which device to use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// A hardware GPU, else what is faster without one: the CPU executor where it has fast rows, else a software adapter.
    #[default]
    Auto,
    /// The CPU executor.
    Cpu,
    /// The CPU executor without its fast rows.
    Reference,
    /// A software adapter, and nothing else.
    Software,
    /// The adapter with this number in the list of [`adapters`].
    Index(usize),
    /// The one adapter that this text means, ignoring case: with this place on the PCI bus, else with this name, else
    /// with the text in its name. An error if it means several.
    Name(String),
    /// An adapter with no other kernels than those that a browser runs on it ([`Gpu::of_web`]): `web:` and the choice.
    Web(Box<DeviceChoice>),
    /// An adapter with the kernels that hardware runs, whatever it is ([`Gpu::of_hardware`]): `hardware:` and the choice. What a GPU
    /// computes can so be seen, and tested, on a software adapter.
    Hardware(Box<DeviceChoice>),
}

/// What stands before a choice of which only the kernels of browsers, or those of hardware, are wanted.
const WEB: &str = "web:";
const HARDWARE: &str = "hardware:";

impl FromStr for DeviceChoice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lower = text.to_lowercase();
        let after = |prefix: &str| lower.strip_prefix(prefix).and_then(|_| text.get(prefix.len()..));
        if let Some(choice) = after(WEB) {
            return Ok(DeviceChoice::Web(Box::new(choice.parse()?)));
        }
        if let Some(choice) = after(HARDWARE) {
            return Ok(DeviceChoice::Hardware(Box::new(choice.parse()?)));
        }
        Ok(match lower.as_str() {
            "auto" => DeviceChoice::Auto,
            "cpu" => DeviceChoice::Cpu,
            "reference" => DeviceChoice::Reference,
            "software" => DeviceChoice::Software,
            _ => text.parse().map_or_else(|_| DeviceChoice::Name(text.to_owned()), DeviceChoice::Index),
        })
    }
}

impl std::fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DeviceChoice::Auto => f.write_str("auto"),
            DeviceChoice::Cpu => f.write_str("cpu"),
            DeviceChoice::Reference => f.write_str("reference"),
            DeviceChoice::Software => f.write_str("software"),
            DeviceChoice::Index(index) => write!(f, "{index}"),
            DeviceChoice::Name(name) => f.write_str(name),
            DeviceChoice::Web(choice) => write!(f, "{WEB}{choice}"),
            DeviceChoice::Hardware(choice) => write!(f, "{HARDWARE}{choice}"),
        }
    }
}

/// How to get an adapter, for a machine that has none.
pub const HOW_TO_GET_AN_ADAPTER: &str = "no Vulkan, Metal or DX12 adapter was found: install your GPU's driver, or a \
     software one (Debian and Ubuntu: apt-get install mesa-vulkan-drivers; Fedora: dnf install mesa-vulkan-drivers; \
     Arch: pacman -S vulkan-swrast)";

/// [`HOW_TO_GET_AN_ADAPTER`], unless the environment variable `WGPU_BACKEND` hides the adapters.
pub fn how_to_get_an_adapter() -> String {
    nothing_looked_at().unwrap_or_else(|| HOW_TO_GET_AN_ADAPTER.to_owned())
}

/// What runs a step on the CPU executor, in place of a kernel's variant.
pub const TWIN: &str = "twin";

/// Where plans run.
///
/// ```
/// use shadegrad::Device;
///
/// let device = Device::auto(); // a hardware GPU, else the processor
/// let (cpu, why) = Device::open(&"cpu".parse()?)?; // as `--device` of the program
/// println!("{}; {}: {why}", device.title(), cpu.title());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Drivers of Mesa complain on standard error where the environment lacks a variable: see [`mesa_runtime_dir`].
#[derive(Debug, Clone)]
pub enum Device {
    /// The CPU executor.
    Cpu,
    /// The CPU executor with nothing but twins: slow, and what the other devices are measured by.
    Reference,
    /// An adapter.
    Gpu(Arc<Gpu>),
}

impl Device {
    /// The CPU executor: needs no driver.
    pub fn cpu() -> Self {
        Device::Cpu
    }

    /// The CPU executor with nothing but twins: slow, and what the other devices are measured by.
    pub fn reference() -> Self {
        Device::Reference
    }

    /// The device of [`DeviceChoice::Auto`]; never fails, since the CPU executor is always available.
    pub fn auto() -> Self {
        open_auto().0
    }

    /// The adapter that comes first, a hardware GPU before a software one, and in one line which it is and why; `None` where none opens.
    pub fn adapter() -> Option<(Self, String)> {
        first_adapter(&adapters(), |_| true, &mut Vec::new())
    }

    /// Opens the chosen device; the second value says in one line which one it is and why.
    ///
    /// # Errors
    /// When no adapter matches the choice, several match a name, or the driver refuses.
    pub fn open(choice: &DeviceChoice) -> Result<(Self, String), GpuError> {
        if *choice == DeviceChoice::Auto {
            // Otherwise an invalid variable would look like an adapter that does not open.
            check_failures()?;
            return Ok(open_auto());
        }
        match choice {
            DeviceChoice::Cpu => return Ok((Device::Cpu, "CPU executor, as requested".to_owned())),
            DeviceChoice::Reference => {
                return Ok((Device::Reference, format!("{}, as requested", Device::Reference.title())));
            }
            DeviceChoice::Web(of) => return open_with(choice, of, Gpu::of_web, "browsers"),
            DeviceChoice::Hardware(of) => return open_with(choice, of, Gpu::of_hardware, "hardware"),
            _ => {}
        }
        let found = adapters();
        let number = pick(&found, choice)?;
        let Some(adapter) = number.and_then(|number| found.get(number)) else {
            return Err(no_adapter(&found, choice));
        };
        let gpu = adapter.open()?;
        let line = format!("{}, as requested", describe(&found, adapter, number.unwrap_or_default()));
        Ok((Device::Gpu(Arc::new(gpu)), line))
    }

    /// [`open`](Self::open) for one of several processes or threads of this machine: its number from 0, and how many there are. Where nothing is chosen each takes a
    /// GPU of its own, of those of the best kind in the order of the PCI bus, and some share one where there are fewer.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_for(choice: &DeviceChoice, [number, count]: [usize; 2]) -> Result<(Self, String), GpuError> {
        if *choice != DeviceChoice::Auto || count == 1 {
            return Device::open(choice);
        }
        check_failures()?;
        let found = adapters();
        let places: Vec<_> = found.iter().map(|adapter| (adapter.kind(), adapter.pci())).collect();
        let own = own_of(&places, number).and_then(|own| Some((own, found.get(own)?)));
        match own.map(|(own, adapter)| (own, adapter, adapter.open())) {
            Some((own, adapter, Ok(gpu))) => {
                let line = format!("{}: the GPU of this process", describe(&found, adapter, own));
                Ok((Device::Gpu(Arc::new(gpu)), line))
            }
            // One that does not open leaves the others.
            _ => Ok(open_auto()),
        }
    }

    /// Whether it is a GPU, and not the processor.
    pub fn is_hardware(&self) -> bool {
        matches!(self, Device::Gpu(gpu) if gpu.kind() != DeviceKind::Software)
    }

    /// What it is: a kind of adapter, or the CPU executor.
    pub fn kind(&self) -> String {
        match self {
            Device::Cpu | Device::Reference => self.title(),
            Device::Gpu(gpu) => gpu.kind().to_string(),
        }
    }

    /// Name and driver, for results.
    pub fn title(&self) -> String {
        match self {
            Device::Cpu => "CPU executor".to_owned(),
            Device::Reference => "CPU executor, twins only".to_owned(),
            Device::Gpu(gpu) => gpu.title(),
        }
    }

    /// What runs a step here: the variant of its kernel, the fast row, or the twin.
    pub fn kernel(&self, op: &Op) -> &'static str {
        match self {
            Device::Cpu => op.fast().map_or(TWIN, |(variant, _)| variant),
            Device::Reference => TWIN,
            Device::Gpu(gpu) => gpu.kernel(op).map_or("none", |kernel| kernel.variant),
        }
    }

    /// The shader file that runs a step here, from the root of the repository; `None` where none does.
    pub fn shader(&self, op: &Op) -> Option<String> {
        match self {
            Device::Cpu | Device::Reference => None,
            Device::Gpu(gpu) => gpu.kernel(op).map(|kernel| format!("shaders/{}", kernel.source.file)),
        }
    }

    /// The same device with other kernels for some steps; the CPU executor has none to choose from.
    pub fn choosing(&self, choices: Choices) -> Self {
        match self {
            Device::Cpu | Device::Reference => self.clone(),
            Device::Gpu(gpu) => Device::Gpu(Arc::new(gpu.choosing(choices))),
        }
    }

    /// The plan in the form that runs best on this device: fused on an adapter. The CPU executor takes it unchanged,
    /// so that its twins remain the reference for the fused kernels.
    pub fn prepare(&self, plan: Plan) -> Plan {
        match self {
            Device::Cpu | Device::Reference => plan,
            Device::Gpu(_) => plan.fuse(),
        }
    }

    /// Which data sets are streamed here; `None` on a device that works in the host's own memory.
    pub fn streaming(&self, plan: &Plan) -> Option<Streaming> {
        match self {
            Device::Cpu | Device::Reference => None,
            Device::Gpu(gpu) => Some(gpu.streaming(plan)),
        }
    }

    /// Allocates what a plan needs, ready to run.
    ///
    /// # Errors
    /// When the plan does not fit the device.
    pub fn executor(&self, plan: Plan) -> Result<Box<dyn Executor>, GpuError> {
        Ok(match self {
            Device::Cpu | Device::Reference => {
                let weights: usize = plan.parameters.iter().map(Tensor::len).sum();
                let copies = weights.saturating_mul(COPIES * size_of::<f32>());
                let what = format!("the buffers of the plan for batches of {} samples", plan.batch);
                let scratch = match self {
                    Device::Cpu => CpuExecutor::scratch_bytes(&plan),
                    _ => 0,
                };
                check_host_memory(
                    &what,
                    copies.saturating_add(plan.bytes() as usize).saturating_add(scratch),
                )?;
                match self {
                    Device::Cpu => Box::new(CpuExecutor::fast(plan)),
                    _ => Box::new(CpuExecutor::<f32>::new(plan)),
                }
            }
            Device::Gpu(gpu) => Box::new(GpuExecutor::new(Arc::clone(gpu), plan)?),
        })
    }
}

/// Copies of a model's weights on the host beside those that are computed with: its own, and those in transfer from
/// and to files and devices.
pub(crate) const COPIES: usize = 2;

/// Refuses what the host's memory cannot hold, as far as the system tells: a failing allocation later would abort the
/// program.
pub(crate) fn check_host_memory(what: &str, bytes: usize) -> Result<(), GpuError> {
    Vec::<u8>::new()
        .try_reserve_exact(bytes)
        .map_err(|_| GpuError::HostMemory { what: what.to_owned(), bytes })
}

/// Whether the CPU executor trains faster than a software adapter. Where it has fast rows it did so on every net that was measured
/// (docs/performance.md, "Without an adapter"); twins alone are slower than kernels.
fn cpu_beats_software() -> bool {
    fused()
}

/// An adapter with the kernels of others, as `whole` asks for: of the adapter that `choice` means.
fn open_with(
    whole: &DeviceChoice,
    choice: &DeviceChoice,
    kernels: fn(&Gpu) -> Gpu,
    whose: &str,
) -> Result<(Device, String), GpuError> {
    let opened = match choice {
        DeviceChoice::Auto => Device::adapter(),
        choice => Some(Device::open(choice)?),
    };
    match opened {
        Some((Device::Gpu(gpu), why)) => {
            Ok((Device::Gpu(Arc::new(kernels(&gpu))), format!("{why}, with the kernels of {whose}")))
        }
        _ => Err(no_adapter(&adapters(), whole)),
    }
}

fn open_auto() -> (Device, String) {
    let found = adapters();
    let takes = |adapter: &AdapterReport| adapter.kind() != DeviceKind::Software || !cpu_beats_software();
    let mut refused = Vec::new();
    if let Some(opened) = first_adapter(&found, takes, &mut refused) {
        return opened;
    }
    let why = match (refused.is_empty(), nothing_looked_at()) {
        (false, _) => refused.join("; "),
        (true, Some(hidden)) => hidden,
        (true, None) if !found.iter().all(takes) => {
            "no hardware GPU was found, and a software adapter is slower".to_owned()
        }
        (true, None) if cpu_beats_software() => {
            "no hardware GPU was found; if there is one, install its driver".to_owned()
        }
        (true, None) => how_to_get_an_adapter(),
    };
    (Device::Cpu, format!("CPU executor: {why}"))
}

/// The number of the hardware GPU for one of several processes, of adapters of these kinds at these places on the PCI bus.
fn own_of(places: &[(DeviceKind, Option<String>)], number: usize) -> Option<usize> {
    let hardware = |kind: &DeviceKind| *kind != DeviceKind::Software;
    let best = places.iter().map(|(kind, _)| *kind).filter(hardware).min()?;
    let mut own: Vec<usize> = (0..places.len()).filter(|&at| places[at].0 == best).collect();
    // What does not tell its place comes last.
    own.sort_by_key(|&at| (places[at].1.is_none(), &places[at].1));
    Some(own[number % own.len()])
}

/// The numbers of adapters of these kinds and with so much memory, the best first: of graphics cards that with the most memory, of others
/// that which the system names first.
fn best_first(adapters: &[(DeviceKind, Option<u64>)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..adapters.len()).collect();
    order.sort_by_key(|&at| {
        let (kind, memory) = adapters[at];
        let memory = memory.filter(|_| kind == DeviceKind::Discrete).unwrap_or_default();
        (kind, Reverse(memory))
    });
    order
}

/// The first of the best kind that opens, of those that may be taken; why the others did not.
fn first_adapter(
    found: &[AdapterReport],
    takes: impl Fn(&AdapterReport) -> bool,
    refused: &mut Vec<String>,
) -> Option<(Device, String)> {
    let known: Vec<_> = found.iter().map(|adapter| (adapter.kind(), adapter.memory())).collect();
    for number in best_first(&known) {
        let adapter = &found[number];
        if !takes(adapter) {
            continue;
        }
        match adapter.open() {
            Ok(gpu) => {
                let why = match adapter.kind() {
                    DeviceKind::Software => "no hardware GPU was found",
                    _ => "hardware comes first",
                };
                let line = format!("{}: {why}", describe(found, adapter, number));
                return Some((Device::Gpu(Arc::new(gpu)), line));
            }
            Err(error) => refused.push(error.to_string()),
        }
    }
    None
}

/// The number of the chosen adapter, if there is one.
fn pick(found: &[AdapterReport], choice: &DeviceChoice) -> Result<Option<usize>, GpuError> {
    Ok(match choice {
        DeviceChoice::Auto
        | DeviceChoice::Cpu
        | DeviceChoice::Reference
        | DeviceChoice::Web(_)
        | DeviceChoice::Hardware(_) => None,
        DeviceChoice::Software => found.iter().position(|adapter| adapter.kind() == DeviceKind::Software),
        DeviceChoice::Index(index) => Some(*index),
        DeviceChoice::Name(name) => match meant_by(found, name)[..] {
            [] => None,
            [one] => Some(one),
            [first, ..] => {
                let found = listed(found, meant_by(found, name));
                return Err(GpuError::Ambiguous { asked: name.clone(), found, first });
            }
        },
    })
}

fn no_adapter(found: &[AdapterReport], choice: &DeviceChoice) -> GpuError {
    let found = match found.len() {
        0 => how_to_get_an_adapter(),
        count => {
            let list = listed(found, 0..count);
            format!("there is {list}; `auto`, `cpu`, `reference` and `software` are understood as well")
        }
    };
    GpuError::NoAdapter { asked: choice.to_string(), found }
}

/// An adapter in words, with what tells it from others with its name.
fn describe(found: &[AdapterReport], adapter: &AdapterReport, number: usize) -> String {
    let apart = apart(found, number);
    format!("{} ({}, {}, {}{apart})", adapter.name(), adapter.kind(), adapter.backend(), adapter.driver())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_written_as_it_is_read() {
        let web = |choice| DeviceChoice::Web(Box::new(choice));
        let rows = [
            ("auto", DeviceChoice::Auto),
            ("1", DeviceChoice::Index(1)),
            ("Radeon RX", DeviceChoice::Name("Radeon RX".to_owned())),
            ("web:software", web(DeviceChoice::Software)),
            ("web:0", web(DeviceChoice::Index(0))),
            ("hardware:software", DeviceChoice::Hardware(Box::new(DeviceChoice::Software))),
            ("web:Radeon RX", web(DeviceChoice::Name("Radeon RX".to_owned()))),
        ];
        for (text, choice) in rows {
            assert_eq!(text.parse(), Ok(choice.clone()), "{text}");
            assert_eq!(choice.to_string(), text);
        }
        assert_eq!("WEB:Software".parse(), Ok(web(DeviceChoice::Software)));
    }

    #[test]
    fn the_largest_card_comes_first_and_what_computes_on_the_processor_last() {
        let adapters = [
            (DeviceKind::Software, Some(64 << 30)),
            (DeviceKind::Integrated, Some(32 << 30)),
            (DeviceKind::Discrete, None),
            (DeviceKind::Discrete, Some(8 << 30)),
            (DeviceKind::Integrated, Some(48 << 30)),
            (DeviceKind::Discrete, Some(24 << 30)),
            (DeviceKind::Virtual, None),
        ];
        assert_eq!(best_first(&adapters), [5, 3, 2, 1, 4, 6, 0]);
        assert!(best_first(&[]).is_empty());
    }

    #[test]
    fn processes_take_gpus_in_the_order_of_the_bus() {
        let at = |kind, place: &str| (kind, Some(place.to_owned()).filter(|place| !place.is_empty()));
        let places = [
            at(DeviceKind::Software, ""),
            at(DeviceKind::Discrete, "0000:41:00.0"),
            at(DeviceKind::Integrated, "0000:00:02.0"),
            at(DeviceKind::Discrete, ""),
            at(DeviceKind::Discrete, "0000:01:00.0"),
        ];
        let taken: Vec<_> = (0..5).map(|number| own_of(&places, number)).collect();
        assert_eq!(taken, [Some(4), Some(1), Some(3), Some(4), Some(1)]);
        assert_eq!(own_of(&places[..1], 0), None);
        assert_eq!(own_of(&[], 3), None);
    }
}
