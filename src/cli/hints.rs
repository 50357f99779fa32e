//! Flags for the settings that the library's messages name.

use crate::data::{DataError, PictureFolderError};
use crate::error::{Error, ImportError, SettingError};
use crate::executor::ExecutorError;
use crate::gpu::GpuError;
use crate::io::checkpoint::ResumeError;
use crate::io::destination::DestinationError;
use crate::io::run::RunError;

/// Settings named in warnings of the library, with their flags.
const SETTINGS: [(&str, &str); 3] =
    [("`first_label`", "--first-label"), ("`stratify`", "--stratify"), ("`transpose`", "--transpose")];

/// The flags to add to an error, if it advises something that has flags.
pub fn of_error(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| match cause.downcast_ref::<Error>() {
        // These are not in the chain themselves: `Error` is transparent.
        Some(Error::Device(error)) => of_device(error),
        Some(Error::Executor(error) | Error::DeviceInTraining { error, .. }) => of_executor(error),
        Some(Error::Data(error)) => of_data(error),
        Some(Error::Setting(error)) => of_setting(error),
        Some(Error::Run(error)) => of_run(error),
        Some(Error::Import(error)) => of_import(error),
        Some(_) => None,
        None => of_cause(cause),
    })
}

/// The flag to add to a warning of the library, if it names a setting that has one.
pub fn of_warning(text: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|(setting, _)| text.contains(setting)).map(|(_, flag)| *flag)
}

fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    None.or_else(|| of_device(cause.downcast_ref()?))
        .or_else(|| of_executor(cause.downcast_ref()?))
        .or_else(|| of_data(cause.downcast_ref()?))
        .or_else(|| of_setting(cause.downcast_ref()?))
        .or_else(|| of_run(cause.downcast_ref()?))
        .or_else(|| of_import(cause.downcast_ref()?))
        .or_else(|| match cause.downcast_ref()? {
            ResumeError::None { .. } => Some("--out DIR".to_owned()),
            _ => None,
        })
        .or_else(|| match cause.downcast_ref()? {
            DestinationError::Occupied { .. } => Some("--force".to_owned()),
            _ => None,
        })
}

fn of_device(error: &GpuError) -> Option<String> {
    match error {
        GpuError::Ambiguous { first, .. } => Some(format!("--device {first}")),
        GpuError::Open { .. } => Some("--device".to_owned()),
        GpuError::Unsupported { .. }
        | GpuError::Limit { .. }
        | GpuError::Memory { .. }
        | GpuError::Device { .. }
        | GpuError::Lost { .. }
        | GpuError::Timeout { .. } => Some("--device cpu".to_owned()),
        _ => None,
    }
}

fn of_executor(error: &ExecutorError) -> Option<String> {
    match error {
        ExecutorError::LabelsFromOne { .. } | ExecutorError::NotBinary { from_one: true, .. } => {
            Some("--first-label 1".to_owned())
        }
        _ => of_device(error.device()?),
    }
}

fn of_data(error: &DataError) -> Option<String> {
    match error {
        DataError::LabelBelowFirst { .. } => Some("--first-label".to_owned()),
        DataError::Pictures(PictureFolderError::OutOfMemory { .. }) => {
            Some("--size N, SHADEGRAD_CACHE_DIR".to_owned())
        }
        _ => None,
    }
}

fn of_setting(error: &SettingError) -> Option<String> {
    let flags = match error.setting {
        setting if setting.ends_with(".monitor") => "--validation-split, --validation-data",
        // Beside a schedule of the model file.
        "reduce_lr_on_plateau" => "--schedule type=constant",
        _ => return None,
    };
    Some(flags.to_owned())
}

fn of_run(error: &RunError) -> Option<String> {
    match error {
        RunError::Occupied { .. } => Some("--out DIR, --resume, --force".to_owned()),
        RunError::Foreign { .. } | RunError::InTheWay { .. } | RunError::NotAFolder { .. } => {
            Some("--out DIR".to_owned())
        }
        _ => None,
    }
}

fn of_import(error: &ImportError) -> Option<String> {
    let flags = match error {
        ImportError::Shape(_) | ImportError::Features { .. } => "--fresh LAYER",
        ImportError::Ambiguous { .. } => "--map MAP.toml, --ignore NAME",
        ImportError::Layout { .. } => "--map MAP.toml",
        ImportError::Left { missing, .. } if missing.is_empty() => "--ignore NAME,...",
        ImportError::Left { unused, .. } if unused.is_empty() => "--map MAP.toml, --fresh LAYER,...",
        ImportError::Left { .. } => "--map MAP.toml, --fresh LAYER,..., --ignore NAME,...",
        _ => return None,
    };
    Some(flags.to_owned())
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn flags_are_found_under_other_errors() {
        let lost = || GpuError::Lost { adapter: "A".to_owned(), message: "m".to_owned() };
        let occupied = || RunError::Occupied { dir: "out".to_owned() };
        let in_training = Error::DeviceInTraining { step: 1, epoch: 1, error: lost().into() };
        let rows = [
            (lost().into(), Some("--device cpu")),
            (Error::from(lost()).into(), Some("--device cpu")),
            (anyhow::Error::from(in_training).context("model `m`"), Some("--device cpu")),
            (
                Err::<(), _>(occupied()).context("a").context("b").unwrap_err(),
                Some("--out DIR, --resume, --force"),
            ),
            (Error::from(occupied()).into(), Some("--out DIR, --resume, --force")),
            (
                SettingError::new("early_stopping.monitor", "val_loss", "`loss`").into(),
                Some("--validation-split, --validation-data"),
            ),
            (SettingError::new("epochs", 0_usize, "at least 1").into(), None),
            (
                SettingError::new("reduce_lr_on_plateau", "given", "left out").into(),
                Some("--schedule type=constant"),
            ),
            (ExecutorError::NoData.into(), None),
            (ExecutorError::from(lost()).into(), Some("--device cpu")),
            (anyhow::anyhow!("else"), None),
        ];
        for (error, expected) in rows {
            assert_eq!(of_error(&error).as_deref(), expected, "{error:#}");
        }
        assert_eq!(of_warning("set `first_label` to 1"), Some("--first-label"));
        assert_eq!(of_warning("the first label is 1"), None);
    }
}
