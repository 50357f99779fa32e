//! What a run leaves: the same files as those of the program.

use std::cell::RefCell;
use std::rc::Rc;

use shadegrad::io::checkpoint::{CHECKPOINTS, RunSettings, to_files};
use shadegrad::io::report::Logs;
use shadegrad::io::run::{
    HISTORY_FILE, MODEL_FILE, RESULT_FILE, RunResult, STEPS_FILE, WEIGHTS_FILE, weights_metadata,
};
use shadegrad::io::{ModelFile, SavedRun, weights_to_bytes};
use shadegrad::model::Weights;
use shadegrad::train::{Checkpoint, EpochRecord};
use wasm_bindgen::JsError;

use crate::error::{json, told};

/// A run that a trainer fills and watchers read. It is never borrowed while a call is set aside, since others are made meanwhile.
pub(crate) type Shared = Rc<RefCell<Run>>;

pub(crate) struct Run {
    pub(crate) file: ModelFile,
    pub(crate) settings: RunSettings,
    /// Those of the last snapshot, and at the end those of the end.
    pub(crate) weights: Weights,
    /// Lines of `steps.jsonl`, with the steps that they are of.
    pub(crate) steps: Vec<(usize, String)>,
    pub(crate) epochs: Vec<EpochRecord>,
    pub(crate) checkpoint: Option<Checkpoint>,
    /// Once it is tested.
    pub(crate) result: Option<RunResult>,
    /// Counts the weights that were seen.
    pub(crate) version: u32,
}

impl Run {
    /// One that is not trained here.
    pub(crate) fn finished(file: ModelFile, weights: Weights) -> Shared {
        Rc::new(RefCell::new(Run {
            file,
            settings: RunSettings::default(),
            weights,
            steps: Vec::new(),
            epochs: Vec::new(),
            checkpoint: None,
            result: None,
            version: 1,
        }))
    }

    pub(crate) fn keep(&mut self, checkpoint: &Checkpoint) {
        self.weights = checkpoint.weights.clone();
        self.checkpoint = Some(checkpoint.clone());
        self.version += 1;
    }

    /// Forgets what came after the last checkpoint, which is where training goes on.
    pub(crate) fn rewind(&mut self) {
        self.result = None;
        let checkpoint = self.checkpoint.as_ref();
        let last = checkpoint.map_or(0, Checkpoint::steps);
        self.steps.retain(|(step, _)| *step <= last);
        self.epochs.truncate(checkpoint.map_or(0, |checkpoint| checkpoint.epochs.len()));
    }

    /// As the program reads it from a folder.
    pub(crate) fn saved(&self) -> Result<SavedRun, JsError> {
        let network = self.file.model.network().map_err(told)?;
        Ok(SavedRun { file: self.file.clone(), network, weights: self.weights.clone() })
    }

    /// `weights.safetensors`.
    pub(crate) fn weights_file(&self) -> Result<Vec<u8>, JsError> {
        weights_to_bytes(&self.weights, &weights_metadata(&self.file.model.name)).map_err(told)
    }

    /// The files of its folder.
    pub(crate) fn files(&self) -> Result<Vec<(String, Vec<u8>)>, JsError> {
        let model = self.file.to_toml().map_err(told)?;
        let mut files = vec![
            (WEIGHTS_FILE.to_owned(), self.weights_file()?),
            (STEPS_FILE.to_owned(), self.step_lines().into_bytes()),
            (HISTORY_FILE.to_owned(), self.epoch_lines()?.into_bytes()),
        ];
        if let Some(result) = &self.result {
            let text = serde_json::to_string_pretty(result).map_err(told)?;
            files.push((RESULT_FILE.to_owned(), format!("{text}\n").into_bytes()));
        }
        if let Some(checkpoint) = &self.checkpoint {
            let folder = format!("{CHECKPOINTS}/step-{:08}", checkpoint.steps());
            let inside = to_files(&model, &self.settings, checkpoint).map_err(told)?;
            files.extend(inside.into_iter().map(|(name, bytes)| (format!("{folder}/{name}"), bytes)));
        }
        files.push((MODEL_FILE.to_owned(), model.into_bytes()));
        Ok(files)
    }

    /// `steps.jsonl`.
    fn step_lines(&self) -> String {
        self.steps.iter().map(|(_, line)| format!("{line}\n")).collect()
    }

    /// `history.jsonl`.
    fn epoch_lines(&self) -> Result<String, JsError> {
        self.epochs.iter().map(|epoch| Ok(json(epoch)? + "\n")).collect()
    }

    /// Its logs and its model, as a report shows them.
    pub(crate) fn logs(&self) -> Result<Logs, JsError> {
        let model = self.file.to_toml().map_err(told)?;
        Logs::from_texts(model, &self.epoch_lines()?, &self.step_lines()).map_err(told)
    }
}
