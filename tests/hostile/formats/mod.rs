//! The kinds of files, each with a way to make hostile ones and the readers that read them.

mod checkpoints;
mod data;
mod data_forms;
mod events;
mod models;
mod photos;
mod pictures;
mod runs;
mod weights;

use crate::dice::Dice;
use crate::place::Place;

/// The outcome of a case: whether its files were accepted.
pub type Taken = bool;

/// A kind of file.
pub struct Format {
    pub name: &'static str,
    /// The most memory that its cases may take, in MiB.
    pub most_memory: u64,
    /// Makes the files that the cases start from.
    pub prepare: fn() -> Box<dyn Player>,
}

/// Plays cases.
pub trait Player {
    /// Makes the files of a case and reads them. Its errors must be useful.
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken;
}

pub const FORMATS: [Format; 19] = [
    Format { name: "IDX", most_memory: 200, prepare: || Box::new(data::Idx) },
    Format { name: "gzip", most_memory: 200, prepare: || Box::new(data::Gzip::new()) },
    Format { name: "data folder", most_memory: 200, prepare: || Box::new(data::Folder::new()) },
    Format { name: "safetensors", most_memory: 200, prepare: || Box::new(weights::Safetensors::new()) },
    Format { name: "model file", most_memory: 400, prepare: || Box::new(models::ModelFiles) },
    Format { name: "checkpoint", most_memory: 400, prepare: || Box::new(checkpoints::Checkpoints::new()) },
    Format { name: "run folder", most_memory: 400, prepare: || Box::new(runs::Runs::new()) },
    Format { name: "logs of a run", most_memory: 400, prepare: || Box::new(runs::Logs::new()) },
    Format { name: "event file", most_memory: 200, prepare: || Box::new(events::Events::new()) },
    Format { name: "PNG", most_memory: 800, prepare: || Box::new(pictures::Png) },
    Format { name: "JPEG", most_memory: 800, prepare: || Box::new(pictures::Jpeg) },
    Format { name: "foreign weights", most_memory: 200, prepare: || Box::new(weights::Others::new()) },
    Format { name: "file of names", most_memory: 200, prepare: || Box::new(weights::Names::new()) },
    Format { name: "CSV", most_memory: 200, prepare: || Box::new(data_forms::Tables) },
    Format { name: "NumPy", most_memory: 200, prepare: || Box::new(data_forms::Arrays) },
    Format { name: "CIFAR", most_memory: 200, prepare: || Box::new(data_forms::Cifar::new()) },
    Format { name: "WebP", most_memory: 800, prepare: || Box::new(pictures::WebP) },
    Format { name: "BMP", most_memory: 800, prepare: || Box::new(pictures::Bmp) },
    Format { name: "picture folder", most_memory: 400, prepare: || Box::new(photos::Photos::new()) },
];

/// Whether it was accepted; a refusal must have a message of reasonable length.
pub fn told<T, E: std::fmt::Display>(outcome: Result<T, E>) -> Taken {
    match outcome {
        Ok(_) => true,
        Err(error) => {
            let text = error.to_string();
            if crate::is_alone() {
                eprintln!("{text}");
            }
            assert!(!text.trim().is_empty(), "an error without a word");
            // A TOML parser prints the line, however long.
            assert!(text.len() < 100_000, "an error of {} bytes", text.len());
            false
        }
    }
}
