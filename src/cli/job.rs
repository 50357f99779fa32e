//! The settings of `train`: from its arguments, or from the checkpoint that it resumes.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::args::{DataSource, ModelSource, whole_path};
use super::output::note;
use super::path_text::{from_text, refused, to_text};
use super::picture_data;
use super::same_data::{Known, check_resumed};
use super::train_args::TrainArgs;
use crate::data::coverage::{listed, uncovered};
use crate::data::{DataDigests, Dataset, Loaded, PictureFolder, load_one};
use crate::device::{Device, DeviceChoice, TWIN};
use crate::error::Error;
use crate::gpu::{Choices, adapters};
use crate::io::ModelFile;
use crate::io::checkpoint::{self, RunSettings, SavedCheckpoint, load_last};
use crate::model::Network;
use crate::plan::Plan;
use crate::train::{Checkpoint, FitOptions, held_to};

/// In the title of a device that a browser opened.
const WEBGPU: &str = "(webgpu, ";

/// A model, its training, and where it starts.
pub struct Job {
    pub file: ModelFile,
    pub settings: RunSettings,
    /// The checkpoint to resume from.
    pub checkpoint: Option<Checkpoint>,
    /// The data, where it is a folder of pictures that was looked at.
    pub pictures: Option<PictureFolder>,
}

/// The data of a run.
pub struct Sets {
    pub train: Dataset,
    pub validation: Option<Dataset>,
    pub test: Dataset,
}

impl Sets {
    /// What a model is held to on them.
    ///
    /// # Errors
    /// As [`held_to`].
    pub fn held_to(&self, network: &Network) -> Result<Self, Error> {
        let validation = self.validation.as_ref().map(|set| held_to(network, set)).transpose()?;
        Ok(Sets { train: held_to(network, &self.train)?, validation, test: held_to(network, &self.test)? })
    }

    /// Their digests, which tell them from other data.
    pub fn digests(&self) -> DataDigests {
        DataDigests::of(&self.train, self.validation.as_ref(), &self.test)
    }

    /// Warns of classes of the test set that are not trained on; training itself warns of those of the validation set.
    pub fn warn_of_classes(&self, names: &[String], limited: bool) {
        let mut missing = uncovered(&self.train, &[&self.test]);
        if let Some(validation) = &self.validation {
            let told = uncovered(&self.train, &[validation]);
            missing.retain(|class| !told.contains(class));
        }
        if !missing.is_empty() {
            let why = "; --limit cuts the last classes off if files are sorted by class";
            note(format_args!(
                "warning: the training set has no sample of {}, but the test set has some: the model cannot learn \
                 them{}",
                listed(&missing, names),
                if limited { why } else { "" }
            ));
        }
        let untested = uncovered(&self.test, &[&self.train]);
        // Of pictures the folder tells.
        if !untested.is_empty() && self.test.sample_names().is_none() {
            note(format_args!(
                "warning: the test set has no sample of {}: its metrics say nothing about them",
                listed(&untested, names)
            ));
        }
    }
}

impl Job {
    /// A run from its start, on so many processes and devices.
    pub fn begin(args: &TrainArgs, ranks: usize) -> anyhow::Result<Self> {
        let data = args.data();
        let mut layout = args.layout.options(&data, None)?;
        let pictures = data.pictures(&layout)?;
        let mut file = ModelSource::read_for(args.model.as_ref(), pictures.as_ref())?;
        if args.model.is_none() {
            args.training.check_made(&file)?;
        }
        args.training.apply(&mut file)?;
        let micro_batches = file.training.micro_batches_on(ranks)?;
        file.training.micro_batches = Some(micro_batches).filter(|&count| count > 1);
        args.trainable.apply(&mut file)?;
        if let Some(folder) = &pictures {
            args.fit_to_pictures(folder, &mut file, &mut layout)?;
        }
        if args.validation_data.is_some() {
            file.training.validation_split = None;
            file.training.stratify = false;
        }
        if file.class_names.is_empty() {
            file.class_names = data.class_names(&layout, file.model.network()?.classes());
        }
        let settings = RunSettings {
            data: data.to_string(),
            validation_data: recorded(args.validation_data.as_deref())?,
            init: recorded(args.init.init.as_deref())?,
            transpose: layout.transpose,
            first_label: layout.first_label,
            target: layout.target.clone(),
            coarse_labels: layout.coarse_labels,
            split_seed: layout.split_seed,
            size: layout.size,
            channels: layout.channels,
            limit: args.training.limit,
            seed: args.training.seed.to_string(),
            no_fuse: args.fuse.no_fuse(),
            checkpoint_steps: args.checkpoint_steps,
            allow_nan: args.training.allow_nan,
            ..RunSettings::default()
        };
        Ok(Job { file, settings, checkpoint: None, pictures })
    }

    /// A run from its last intact checkpoint; `--epochs` and `--max-steps` may extend it.
    pub fn resume(args: &TrainArgs, dir: &Path, ranks: usize) -> anyhow::Result<Self> {
        checkpoint::bring_back(dir)?;
        let (SavedCheckpoint { name, mut file, mut settings, checkpoint }, damaged) = load_last(dir)?;
        if !settings.is_of_the_program() {
            bail!(
                "`{}` holds the checkpoints of another program, which alone knows its data: start that program again",
                dir.display()
            );
        }
        for one in damaged {
            note(format_args!("warning: {one}; resuming from the one before"));
        }
        note(format_args!("Resuming from {}", dir.join(checkpoint::CHECKPOINTS).join(name).display()));
        let further = [
            ("--epochs", args.training.epochs, Some(file.training.epochs)),
            ("--max-steps", args.training.max_steps, file.training.max_steps),
        ];
        for (flag, asked, had) in further {
            match (asked, had) {
                (Some(asked), Some(had)) if asked < had => {
                    bail!("{flag} is {asked}, but the run began with {had}; a resumed run cannot have fewer")
                }
                (Some(asked), None) if flag == "--max-steps" => {
                    bail!(
                        "{flag} is {asked}, but the run began without a limit of steps, and cannot get one now; leave \
                         {flag} out"
                    )
                }
                _ => {}
            }
        }
        // What was begun without micro-batches is not given any.
        FitOptions { micro_batches: file.training.micro_batches.or(Some(1)), ..file.training.clone() }
            .micro_batches_on(ranks)?;
        file.training.epochs = args.training.epochs.unwrap_or(file.training.epochs);
        file.training.max_steps = args.training.max_steps.or(file.training.max_steps);
        settings.checkpoint_steps = args.checkpoint_steps.or(settings.checkpoint_steps);
        move_data(args, &mut settings)?;
        settings.allow_nan |= args.training.allow_nan;
        Ok(Job { file, settings, checkpoint: Some(checkpoint), pictures: None })
    }

    /// The path of the checkpoint to resume from.
    pub fn checkpoint_path(&self, args: &TrainArgs) -> Option<PathBuf> {
        Some(checkpoint::path(args.out.as_deref()?, self.checkpoint.as_ref()?.steps()))
    }

    /// The seed of the run.
    pub fn seed(&self) -> anyhow::Result<u64> {
        self.settings.seed.parse().with_context(|| format!("`{}` is not a seed", self.settings.seed))
    }

    /// Refuses to resume with other data than the run was begun with, unless that is wanted.
    pub fn check_same_data(&self, args: &TrainArgs, found: &DataDigests) -> anyhow::Result<()> {
        let (Some(_), Some(run)) = (&self.checkpoint, &args.out) else {
            return Ok(());
        };
        let settings = &self.settings;
        let places = [&settings.data, settings.validation_data.as_ref().unwrap_or(&settings.data)];
        check_resumed(
            settings.data_digests.as_ref(),
            found,
            places.map(String::as_str),
            self.file.training.batch_size,
            args.accept_other_data,
            &args.go_on(run),
        )
    }

    /// Refuses to resume a run whose data has moved, and says how to give the new place.
    fn check_there(&self, args: &TrainArgs, source: &DataSource) -> anyhow::Result<()> {
        let validation =
            self.settings.validation_data.as_deref().map(|dir| DataSource::Folder(from_text(dir)));
        // A folder that was just named has not moved.
        let source = Some(source).filter(|_| args.data.is_none());
        let validation = validation.as_ref().filter(|_| args.validation_data.is_none());
        for (source, flag) in [(source, "--data"), (validation, "--validation-data")] {
            if let (Some(source), Some(_), Some(run)) = (source, &self.checkpoint, &args.out)
                && !source.is_there()
            {
                bail!(
                    "the data of this run, `{source}`, no longer exists there; if it has moved, say where it is now: \
                     {} {flag} DIR",
                    args.go_on(run)
                );
            }
        }
        Ok(())
    }

    /// Reads the data, and splits it into what is trained on and what is evaluated after each epoch.
    pub fn sets(&mut self, args: &TrainArgs) -> anyhow::Result<Sets> {
        let source: DataSource = self.settings.data.parse()?;
        self.check_there(args, &source)?;
        let options = self.settings.load_options();
        let loaded = match self.pictures.take() {
            Some(folder) => Loaded::pictures(picture_data::load(folder)?),
            None => source.load(&options)?,
        };
        let Loaded { train, validation: own, test, .. } = loaded;
        let own_or =
            |own: &[String], others: &[String]| if own.is_empty() { others.to_vec() } else { own.to_vec() };
        let classes = own_or(&self.file.class_names, train.class_names());
        let features = own_or(&self.file.feature_names, train.feature_names());
        let known = Known { classes: &classes, features: &features };
        known.tell_others(&train);
        let train = match self.settings.limit {
            Some(limit) => train.take(limit.min(train.len()))?,
            None => train,
        };
        let data = source.to_string();
        let known_of = |place: &str, set| known.of(set).with_context(|| place.to_owned());
        let train = known_of(&data, train)?;
        let given = self.settings.validation_data.as_ref().map(|dir| {
            load_one(&from_text(dir), &options).with_context(|| format!("`{dir}` is not a validation set"))
        });
        let (train, validation) = match (given, own) {
            (Some(given), _) => (train, Some(given?)),
            // The set that comes with the data, unless another part of the training set is asked for.
            (None, Some(own)) if self.file.training.validation_split.is_none() => (train, Some(own)),
            _ => self.file.training.split(&train)?,
        };
        let place = self.settings.validation_data.as_ref().unwrap_or(&data);
        let validation = validation.map(|set| known_of(place, set)).transpose()?;
        Ok(Sets { train, validation, test: known_of(&data, test)? })
    }

    /// The options of `fit` with these sets.
    pub fn fit_options(&self, sets: &Sets) -> anyhow::Result<FitOptions> {
        let options = FitOptions {
            validation_split: None,
            stratify: false,
            class_names: self.file.class_names.clone(),
            validation: sets.validation.clone(),
            ..self.file.training.clone()
        };
        options.check_monitors()?;
        Ok(options)
    }

    /// Opens the requested device, for one of several processes or threads of this machine: its number from 0, and how many there are. A resumed run keeps its own
    /// unless another is named, with the kernels that it ran before. Also returns why it is that one.
    pub fn open(
        &self,
        asked: &DeviceChoice,
        seat: [usize; 2],
        plan: &Plan,
    ) -> anyhow::Result<(Device, String)> {
        if self.checkpoint.is_none() {
            return Ok(Device::open_for(asked, seat)?);
        }
        let recorded = &self.settings.device;
        let (device, why) = match asked {
            DeviceChoice::Auto if self.ran_twins() => (Device::Reference, format!("{recorded}, as before")),
            DeviceChoice::Auto if self.ran_in_browser() => {
                Device::open_for(&DeviceChoice::Web(Box::default()), seat)?
            }
            DeviceChoice::Auto => match find(recorded, seat[0]) {
                Some(device) => (device, format!("{recorded}, as before")),
                None => bail!(
                    "the run was trained on {recorded}, which was not found; to resume on another device, name it \
                     with --device (results then differ in their last bits)"
                ),
            },
            named => Device::open_for(named, seat)?,
        };
        if matches!(device, Device::Cpu) && self.ran_twins() {
            note(
                "warning: the run was trained on the CPU executor with twins only; results will differ in their last \
                 bits; --device reference gives the same bits",
            );
            return Ok((device, why));
        }
        if device.title() != *recorded && !(matches!(device, Device::Reference) && self.ran_twins()) {
            // With the same kernels; the device may be the same, too.
            let goes_on = self.ran_in_browser() && matches!(device, Device::Gpu(_));
            note(format_args!(
                "warning: the run was trained on {recorded}{}; results {} differ in their last bits",
                if goes_on { " in a browser" } else { "" },
                if goes_on { "may" } else { "will" }
            ));
            if !goes_on {
                return Ok((device, why));
            }
        }
        // Kernels are recorded under the names of the steps that ran.
        let ran = if self.settings.no_fuse { plan.clone() } else { device.prepare(plan.clone()) };
        let choices = Choices::recorded(&ran, &self.settings.kernels);
        Ok((device.choosing(choices), why))
    }
}

impl Job {
    /// Whether a browser ran it on an adapter.
    fn ran_in_browser(&self) -> bool {
        self.settings.device.contains(WEBGPU)
    }

    /// Whether nothing but twins ran, as once on every CPU executor.
    fn ran_twins(&self) -> bool {
        let RunSettings { device, kernels, .. } = &self.settings;
        let titles = [Device::Cpu, Device::Reference].map(|device| device.title());
        titles.contains(device) && kernels.values().all(|variant| variant == TWIN)
    }
}

/// The absolute path as a run records it.
fn recorded(path: Option<&Path>) -> anyhow::Result<Option<String>> {
    let Some(path) = path else { return Ok(None) };
    match refused(path) {
        Some(problem) => bail!("`{}`: {problem}", path.display()),
        None => Ok(Some(to_text(&whole_path(path)))),
    }
}

/// Where the data of a resumed run is now, if that is given.
fn move_data(args: &TrainArgs, settings: &mut RunSettings) -> anyhow::Result<()> {
    if let Some(data) = &args.data {
        settings.data = data.to_string();
    }
    match (&args.validation_data, &settings.validation_data) {
        (Some(_), None) => bail!(
            "--validation-data was given, but this run began without it, and a resumed run cannot change that; leave \
             it out"
        ),
        (Some(dir), Some(_)) => settings.validation_data = recorded(Some(dir))?,
        (None, _) => {}
    }
    Ok(())
}

/// The device with this title; of several, the one of this number, with a note.
fn find(title: &str, number: usize) -> Option<Device> {
    if Device::Cpu.title() == title {
        return Some(Device::Cpu);
    }
    let found = adapters();
    let numbers: Vec<usize> = (0..found.len()).filter(|&number| found[number].title() == title).collect();
    let own = *numbers.get(number % numbers.len().max(1))?;
    if numbers.len() > 1 {
        note(format_args!(
            "note: devices {numbers:?} are all {title}; resuming on number {own}; --device chooses another"
        ));
    }
    Device::open(&DeviceChoice::Index(own)).ok().map(|(device, _)| device)
}
