//! Training.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use shadegrad::Device;
use shadegrad::data::{DataDigests, Dataset, TrainTest};
use shadegrad::gpu::Choices;
use shadegrad::io::ModelFile;
use shadegrad::io::checkpoint::{RunSettings, SavedCheckpoint};
use shadegrad::io::run::{RESULT_FILE, RunResult, STEPS_FILE};
use shadegrad::plan::{Plan, Step};
use shadegrad::profile::Sampling;
use shadegrad::train::{Compile, FitOptions, History, Model, StopReason, Stopped, held_to};
use wasm_bindgen::prelude::*;

use crate::adapter::Adapter;
use crate::error::{json, told};
use crate::listener::{Listener, Tell};
use crate::run::{Run, Shared};
use crate::sets::DataSet;
use crate::watcher::Watcher;

/// Steps from one snapshot of the weights to the next.
const SNAPSHOTS: usize = 50;

/// What a page may choose beside the model file, in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Chosen {
    seed: u64,
    /// Training samples at most.
    limit: Option<usize>,
    epochs: Option<usize>,
    batch_size: Option<usize>,
    max_steps: Option<usize>,
    /// Steps from one snapshot of the weights to the next.
    snapshot_steps: usize,
    /// Whether an adapter runs each step of the plan by itself.
    no_fuse: bool,
    /// Whether some batches are taken apart and their kernels timed; results are the same.
    profile: bool,
    /// Whether a one-cycle schedule is fitted to the epochs and the samples, as it is for pictures.
    fit_cycle: bool,
}

impl Default for Chosen {
    fn default() -> Self {
        Chosen {
            seed: 0,
            limit: None,
            epochs: None,
            batch_size: None,
            max_steps: None,
            snapshot_steps: SNAPSHOTS,
            no_fuse: false,
            profile: false,
            fit_cycle: false,
        }
    }
}

/// How training came to an end.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ended {
    steps: usize,
    stopped: Option<Stopped>,
    /// By what clock kernels were timed; none where they were not.
    clock: Option<String>,
    /// Milliseconds of each step of the plan, by its name: the median.
    times: Vec<(String, f64)>,
}

/// One batch in so many is taken apart.
const PROFILED: usize = 10;

/// A model in training.
#[wasm_bindgen]
pub struct Trainer {
    model: Model,
    sets: TrainTest,
    options: FitOptions,
    plan: Plan,
    run: Shared,
    every: usize,
    seed: u64,
    /// Of a training that has come to its end.
    history: Option<History>,
}

#[wasm_bindgen]
impl Trainer {
    /// Compiles the model of a model file for an adapter; `choices` is a JSON object, whose keys are all optional: `seed` (0), `limit`
    /// (training samples), `epochs`, `batchSize`, `maxSteps`, `snapshotSteps` (50), `noFuse`, `profile`, `fitCycle`.
    ///
    /// # Errors
    /// When the file or a choice is invalid, or the data does not fit the model.
    #[wasm_bindgen(constructor)]
    pub fn new(
        adapter: &Adapter,
        model_toml: &str,
        data: &DataSet,
        choices: &str,
    ) -> Result<Trainer, JsError> {
        let choices: Chosen = serde_json::from_str(choices).map_err(told)?;
        let mut file = ModelFile::parse("the model file", model_toml).map_err(told)?;
        file.training.epochs = choices.epochs.unwrap_or(file.training.epochs);
        file.training.batch_size = choices.batch_size.unwrap_or(file.training.batch_size);
        file.training.max_steps = choices.max_steps.or(file.training.max_steps);
        let settings = RunSettings {
            data: data.name.clone(),
            limit: choices.limit,
            seed: choices.seed.to_string(),
            no_fuse: choices.no_fuse,
            size: data.pictures.map(|(size, ..)| size),
            channels: data.pictures.map(|(_, channels, _)| channels),
            split_seed: data.pictures.map_or(0, |(.., seed)| seed),
            ..RunSettings::default()
        };
        if choices.fit_cycle {
            file.fit_cycle(choices.limit.unwrap_or(usize::MAX).min(data.sets.train.len()));
        }
        let mut trainer = Trainer::begin(&adapter.device, file, settings, data)?;
        trainer.every = choices.snapshot_steps.max(1);
        trainer.options.profile = choices.profile.then_some(Sampling::Every(PROFILED));
        Ok(trainer)
    }

    /// A run that goes on: with the files of its folder, by their paths in it, as [`Watcher::files`] gives them.
    ///
    /// # Errors
    /// When they hold no intact checkpoint, or the data is not that of the run.
    #[wasm_bindgen(js_name = fromFiles)]
    pub fn from_files(
        adapter: &Adapter,
        data: &DataSet,
        files: Vec<js_sys::Array>,
    ) -> Result<Trainer, JsError> {
        let mut folders: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
        for pair in files {
            let path = pair.get(0).as_string().unwrap_or_default();
            let bytes = js_sys::Uint8Array::new(&pair.get(1)).to_vec();
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            folders.entry(folder.to_owned()).or_default().insert(name.to_owned(), bytes);
        }
        // The newest first; what a Mac adds to an archive is none.
        let name = |folder: &String| folder.rsplit('/').next().unwrap_or_default().to_owned();
        let mut found: Vec<&String> = folders
            .keys()
            .filter(|folder| folder.contains("checkpoints/") && !folder.starts_with("__MACOSX"))
            .collect();
        found.sort_by_key(|folder| std::cmp::Reverse(name(folder)));
        let mut damaged = None;
        let saved = found.iter().find_map(|folder| {
            let read = SavedCheckpoint::from_files(&name(folder), &folders[*folder]);
            read.map_err(|error| damaged.get_or_insert(error).clone()).ok().map(|saved| (*folder, saved))
        });
        let Some((folder, saved)) = saved else {
            return Err(
                damaged.map_or_else(|| JsError::new("there is no checkpoint among these files"), told)
            );
        };
        let SavedCheckpoint { file, settings, checkpoint, .. } = saved;
        let trainer = Trainer::begin(&adapter.device, file, settings, data)?;
        // Beside the folder of checkpoints.
        let run = folder.rsplit_once("checkpoints/").map_or("", |(run, _)| run.trim_end_matches('/'));
        let files_of_run = folders.get(run);
        let log = files_of_run.and_then(|files| files.get(STEPS_FILE));
        let log = String::from_utf8_lossy(log.map_or(&[][..], Vec::as_slice)).into_owned();
        let step = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok()?["step"].as_u64();
        let steps = log.lines().filter_map(|line| Some((step(line)? as usize, line.to_owned())));
        {
            let mut run = trainer.run.borrow_mut();
            run.steps = steps.collect();
            run.epochs = checkpoint.epochs.clone();
            run.keep(&checkpoint);
            run.result = files_of_run.and_then(|files| serde_json::from_slice(files.get(RESULT_FILE)?).ok());
        }
        Ok(trainer)
    }

    /// What can be asked at any time, also while it trains.
    pub fn watcher(&self) -> Watcher {
        Watcher::new(Rc::clone(&self.run))
    }

    /// Trains to the end, or until the listener says that it is interrupted; a later call goes on from there. Returns how it ended, as
    /// JSON: `steps`, `stopped` with a `reason`, and `clock` and `times` where kernels were timed.
    ///
    /// # Errors
    /// When the device fails, training diverges, or the listener throws. The last snapshot stays.
    #[wasm_bindgen(jspi)]
    pub fn train(&mut self, listener: &Listener) -> Result<String, JsError> {
        let run = Rc::clone(&self.run);
        run.borrow_mut().rewind();
        let checkpoint = run.borrow().checkpoint.clone();
        let mut tell = Tell { listener, run: Rc::clone(&run), every: self.every, heard: 0.0 };
        let train = &self.sets.train;
        let history = match checkpoint {
            Some(checkpoint) => self.model.resume(train, &self.options, checkpoint, &mut tell),
            None => self.model.fit(train, &self.options, &mut tell),
        };
        let history = history.map_err(told)?;
        let weights = self.model.weights().map_err(told)?;
        let mut run = run.borrow_mut();
        run.weights = weights;
        run.version += 1;
        let profile = history.profile.as_ref();
        let named = |(index, step): (usize, &Step)| Some((step.name.clone(), 1e3 * profile?.step(index)?));
        let ended = json(&Ended {
            steps: history.steps,
            stopped: history.stopped.clone(),
            clock: profile.map(|profile| profile.clock().to_string()),
            times: self.plan.steps.iter().enumerate().filter_map(named).collect(),
        });
        let is_over =
            history.stopped.as_ref().is_some_and(|stopped| stopped.reason != StopReason::Interrupted);
        self.history = Some(history).filter(|_| is_over);
        ended
    }

    /// Loss and accuracy on the samples to test with, of which at most so many are taken, as JSON. All of them, after a training that was
    /// not interrupted, make the result of the run.
    ///
    /// # Errors
    /// When the device fails.
    #[wasm_bindgen(jspi)]
    pub fn evaluate(&mut self, most: Option<usize>) -> Result<String, JsError> {
        let all = self.sets.test.len();
        let most = most.unwrap_or(all).min(all);
        let test = self.sets.test.take(most).map_err(told)?;
        let found = self.model.evaluate(&test).map_err(told)?;
        if let Some(history) = self.history.as_ref().filter(|_| most == all) {
            let mut run = self.run.borrow_mut();
            let validation = self.options.validation.as_ref().map_or(0, Dataset::len);
            let samples = [self.sets.train.len(), validation, all];
            let weights = run.weights_file()?;
            let result =
                RunResult::new(&run.file, &run.settings, self.seed, samples, history, &found, &weights);
            run.result = Some(result);
        }
        json(&serde_json::json!({ "loss": found.loss, "accuracy": found.accuracy }))
    }
}

impl Trainer {
    fn begin(
        device: &Device,
        mut file: ModelFile,
        mut settings: RunSettings,
        data: &DataSet,
    ) -> Result<Trainer, JsError> {
        let network = file.model.network().map_err(told)?;
        let TrainTest { train, test } = &data.sets;
        let limit = settings.limit.unwrap_or(usize::MAX).min(train.len());
        let train = train.take(limit).map_err(told)?;
        let (train, validation) = match (&data.validation, file.training.validation_split) {
            (Some(validation), None) => (train, Some(validation.clone())),
            _ => file.training.split(&train).map_err(told)?,
        };
        let digests = DataDigests::of(&train, validation.as_ref(), test);
        if settings.data_digests.as_ref().is_some_and(|recorded| *recorded != digests) {
            return Err(JsError::new(&format!(
                "this is not the data that the run was begun with, `{}`; choose that first",
                settings.data
            )));
        }
        if file.class_names.is_empty() && train.classes() == network.classes() {
            file.class_names = train.class_names().to_vec();
        }
        let held = |set: &Dataset| held_to(&network, set).map_err(told);
        let sets = TrainTest { train: held(&train)?, test: held(test)? };
        let validation = validation.as_ref().map(held).transpose()?;
        let options = FitOptions {
            validation_split: None,
            stratify: false,
            class_names: file.class_names.clone(),
            validation,
            allow_nan: settings.allow_nan,
            ..file.training.clone()
        };
        let batch = options.capacity(train.len(), options.micro_batches.unwrap_or(1));
        let plan = file.plan(batch).map_err(told)?;
        let plan = if settings.no_fuse { plan } else { device.prepare(plan) };
        // Those that a run has recorded are gone on with.
        let device = device.choosing(Choices::recorded(&plan, &settings.kernels));
        let kernels = plan.steps.iter().map(|step| (step.name.clone(), device.kernel(&step.op).to_owned()));
        settings.kernels = kernels.collect();
        settings.device = device.title();
        settings.data_digests = Some(digests);
        settings.capacity = Some(batch).filter(|&batch| batch < options.batch_size);
        let seed = settings.seed.parse().map_err(told)?;
        let compile = Compile { seed, no_fuse: settings.no_fuse, ..file.compile() };
        let model = file.model.compile(&device, compile).map_err(told)?;
        let run = Run {
            weights: network.initial_weights(seed),
            file,
            settings,
            steps: Vec::new(),
            epochs: Vec::new(),
            checkpoint: None,
            result: None,
            version: 1,
        };
        let run = Rc::new(RefCell::new(run));
        Ok(Trainer { model, sets, options, plan, run, every: SNAPSHOTS, seed, history: None })
    }
}
