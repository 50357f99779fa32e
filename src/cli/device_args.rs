//! `--device`.

use crate::device::DeviceChoice;

const WHERE: &str = "Where to compute: `auto`, `cpu`, `reference`, `software`, or an adapter's number, place on the PCI bus or name";

/// What `--help` says of it.
macro_rules! where_to_compute {
    () => {
        "\
Where to compute: `auto`, `cpu`, `reference`, `software`, or an adapter's number, place on the PCI bus or name

`auto` is a hardware GPU if there is one, else the CPU executor, which is faster than a software adapter. (On processors \
without fused multiply-add the software adapter is the faster one, and is taken.) `cpu` is the CPU executor, which needs no \
driver. `reference` is the CPU executor without its fast versions of ops: slow, and what all others are compared with. \
`software` is a software adapter, such as lavapipe.

Adapters are named as `shadegrad devices` lists them; a part of a name is enough. `web:` before an adapter, as in web:0, \
restricts it to the kernels that run in browsers; `hardware:` makes a software adapter run the kernels of GPUs."
    };
}

/// `--device`.
#[derive(Debug, clap::Args)]
pub struct DeviceArg {
    #[arg(long, value_name = "DEVICE", default_value = "auto", value_parser = device, help = WHERE, long_help = where_to_compute!())]
    pub device: DeviceChoice,
}

/// `--device` of a command that may use several.
#[derive(Debug, clap::Args)]
pub struct DevicesArg {
    #[arg(long, value_name = "DEVICE,...", default_value = "auto", value_parser = devices,
          help = WHERE, long_help = concat!(where_to_compute!(), "\n\nSeveral devices, such as 0,1, share the micro-batches of each batch."))]
    pub device: Devices,
}

/// Devices that train together, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Devices(pub Vec<DeviceChoice>);

impl Devices {
    /// The only one, if nothing was chosen.
    pub fn is_auto(&self) -> bool {
        self.0 == [DeviceChoice::Auto]
    }
}

impl std::fmt::Display for Devices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let said: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&said.join(","))
    }
}

/// One device, or several with commas between them: names of adapters have commas with blanks behind.
fn devices(text: &str) -> Result<Devices, String> {
    let parts: Vec<&str> = text.split(',').collect();
    let is_list = parts.iter().all(|part| !part.is_empty() && !part.contains(' '));
    let chosen = if is_list { parts } else { vec![text] };
    Ok(Devices(chosen.into_iter().map(device).collect::<Result<_, _>>()?))
}

fn device(text: &str) -> Result<DeviceChoice, String> {
    if text.trim().is_empty() {
        return Err(
            "it is empty; give auto, cpu, reference, software, or an adapter's number or name".to_owned()
        );
    }
    text.parse().map_err(|never: std::convert::Infallible| match never {})
}
