//! Whether processes and devices that are to train together would compute the same.

use serde_json::Value;

use super::job::Job;
use super::ranks::Ranks;
use crate::device::Device;
use crate::io::checkpoint::RunSettings;
use crate::io::sha256;
use crate::train::Model;

/// Settings that may differ between machines, or that one process alone has; what they lead to is compared by itself.
const OWN: [&str; 7] =
    ["data", "validation_data", "init", "device", "kernels", "tensorboard", "data_digests"];

/// Refuses processes, and devices of one, that differ in what decides bits.
///
/// # Errors
/// Names the first difference.
pub fn check_ranks(
    ranks: &mut Ranks,
    job: &Job,
    devices: &[&Device],
    mixed: bool,
    model: &mut Model,
) -> anyhow::Result<()> {
    let first = devices[0];
    if let Some(other) = devices.iter().find(|other| other.title() != first.title()).filter(|_| !mixed) {
        anyhow::bail!(
            "{} and {} are devices of two kinds, which round differently; choose two of one kind, or give \
             --mixed-devices: only the first one then updates the weights, and sends them to the other",
            first.title(),
            other.title()
        );
    }
    if ranks.size() == 1 {
        return Ok(());
    }
    let mut facts = vec![
        ("program".to_owned(), program_digest()),
        ("model and training".to_owned(), job.file.to_toml()?),
    ];
    if let Value::Object(settings) = serde_json::to_value(&job.settings)? {
        let shared = settings.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
        facts.extend(shared.map(|(name, value)| (format!("setting `{name}`"), value.to_string())));
    }
    facts.push(("data".to_owned(), data(&job.settings)));
    facts.push(("initial weights".to_owned(), digest(&model.digest()?)));
    facts.push(("number of devices".to_owned(), devices.len().to_string()));
    if !mixed {
        facts.push(("kind of device".to_owned(), first.kind()));
        facts.push(("device".to_owned(), first.title()));
        facts.push(("kernels".to_owned(), sha256(serde_json::to_string(&job.settings.kernels)?.as_bytes())));
        if !first.is_hardware() {
            facts.push(("instruction set".to_owned(), instruction_set()));
        }
    }
    ranks.check_same(&facts)
}

/// A digest of this program's file.
pub fn program_digest() -> String {
    let file = std::env::current_exe().and_then(std::fs::read);
    file.map_or_else(|_| env!("CARGO_PKG_VERSION").to_owned(), |bytes| sha256(&bytes))
}

fn data(settings: &RunSettings) -> String {
    settings.data_digests.as_ref().map_or_else(String::new, |digests| {
        let short = |text: &str| text.chars().take(16).collect::<String>();
        let validation = digests
            .validation
            .as_deref()
            .map_or_else(String::new, |digest| format!(", validation {}", short(digest)));
        format!("train {}, test {}{validation}", short(&digests.train), short(&digests.test))
    })
}

/// In words.
pub fn digest(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What decides how the processor computes, as far as programs here choose by it.
fn instruction_set() -> String {
    #[cfg(target_arch = "x86_64")]
    {
        let found = [
            ("avx512f", std::is_x86_feature_detected!("avx512f")),
            ("avx2", std::is_x86_feature_detected!("avx2")),
            ("fma", std::is_x86_feature_detected!("fma")),
        ];
        let named: Vec<&str> = found.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect();
        format!(
            "x86_64 with {}",
            if named.is_empty() { "none of its extensions".to_owned() } else { named.join(", ") }
        )
    }
    #[cfg(not(target_arch = "x86_64"))]
    std::env::consts::ARCH.to_owned()
}
