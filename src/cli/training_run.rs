//! A run of `train`, once everything is known: it trains, evaluates, and writes the results.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use serde::Serialize;

use super::interrupt;
use super::job::{Job, Sets};
use super::judging::{self, print_figures};
use super::listeners::{JsonEpochs, Line, Listeners};
use super::live::{Facts, KernelTimes, Live, NoMistakes, PlanStep, cannot_show};
use super::output::{Output, note, shown};
use super::path_text::to_text;
use super::profile::{Report, roofs};
use super::progress::{Progress, spinner};
use super::ranks::Ranks;
use super::recorder::{Recorder, Told};
use super::same_data::samples;
use super::step_parts::{StepParts, StepReport};
use super::train_args::TrainArgs;
use crate::data::{Dataset, TargetKind};
use crate::device::Device;
use crate::error::{CollectiveError, Error};
use crate::io::run::{PROFILE_FILE, RESULT_FILE, RunFolder, RunResult, WEIGHTS_FILE, weights_metadata};
use crate::io::{HistoryCsv, weights_to_bytes};
use crate::model::thousands;
use crate::plan::{Phase, Plan, Step};
use crate::train::collective::{Alone, Threads};
use crate::train::{
    Callback, Checkpoint, Checkpoints, Collective, EpochRecord, Evaluation, FitOptions, History, Model,
    NoCallback, Updates, main_metric,
};

/// A run in progress.
pub struct Run<'a> {
    pub args: &'a TrainArgs,
    pub job: Job,
    pub sets: Sets,
    pub device: Device,
    pub plan: Plan,
    pub model: Model,
    pub joined: Joined,
    /// Of the first process only.
    pub folder: Option<RunFolder>,
}

/// What joins the model to others that train with it.
pub struct Joined {
    /// Other processes, in training and after it.
    pub in_training: Box<dyn Collective>,
    pub afterwards: Box<dyn Collective>,
    pub updates: Updates,
    /// The models of the other devices of this process.
    pub others: Vec<Model>,
}

/// What a process does in training that is not the first: it asks for an end when it is told to end.
struct Follower;

impl Callback for Follower {
    fn interrupted(&self) -> bool {
        interrupt::asked()
    }
}

/// How training went.
pub struct Trained {
    pub history: History,
    /// When the first batch was reported.
    pub first_step: Option<Instant>,
}

impl Run<'_> {
    /// The folder of the run; in other processes than the first none.
    fn dir(&self) -> &Path {
        self.folder.as_ref().map_or(Path::new(""), RunFolder::dir)
    }

    /// Trains to the end or until Ctrl-C, and sets where the last checkpoint is, whatever happens.
    pub fn train(
        &mut self,
        options: &FitOptions,
        output: &mut Output,
        last: &mut Option<PathBuf>,
    ) -> anyhow::Result<Trained> {
        let (job, quiet) = (&mut self.job, self.args.quiet());
        let told = Told {
            model_toml: job.file.to_toml()?,
            settings: job.settings.clone(),
            keep: self.args.keep_checkpoints,
        };
        let checkpoints = self.args.checkpoints(&job.settings);
        let from = job.checkpoint.as_ref().map(|checkpoint| [checkpoint.steps(), checkpoint.epochs.len()]);
        let checkpoint = job.checkpoint.take();
        let epochs = checkpoint.as_ref().map_or(Vec::new(), |checkpoint| checkpoint.epochs.clone());
        let live = self.folder.as_ref().filter(|_| self.args.tui);
        let live = live.map(|folder| self.view(folder, options, checkpoint.as_ref())).transpose()?;
        let job = &self.job;
        let (model, train) = (&mut self.model, &self.sets.train);
        let Some(folder) = &mut self.folder else {
            let history = side_by_side(model, &mut self.joined, train, options, checkpoint, &mut Follower)?;
            return Ok(Trained { history, first_step: None });
        };
        let (progress, lines) = match (quiet, &live) {
            (true, _) => (Progress::quiet(), Some(&mut *output).filter(|_| self.args.json)),
            // Lines wait behind a view.
            (false, Some(_)) => (Progress::lines(), None),
            (false, None) => (Progress::on(&mut *output), None),
        };
        let listen = listening(self.args, folder, from, &epochs, lines);
        let decides = Recorder::new(folder, told, checkpoints)
            .allow_nan(job.settings.allow_nan)
            .advising(model.network().loss_advice(job.file.loss))
            .showing(progress)
            .going_on(from);
        let view = live.as_ref().map(Live::watcher);
        let mut listeners = Listeners { decides, listen, view, first_step: None };
        let history = side_by_side(model, &mut self.joined, train, options, checkpoint, &mut listeners);
        drop(live);
        *last = listeners.decides.last_checkpoint().cloned();
        let mut history = match history {
            Err(Error::Diverged(divergence)) => return Err(listeners.decides.diverged(divergence)?.into()),
            other => other?,
        };
        // Not those of weights that are not finite.
        history.checkpoints = listeners.decides.saved();
        let first_step = listeners.first_step;
        drop(listeners);
        if let Some(stopped) = &history.stopped {
            output.line(format_args!("Training ended {stopped}"))?;
        }
        Ok(Trained { history, first_step })
    }

    /// Prints the last lines of a run that Ctrl-C ended.
    pub fn tell_interrupted(
        &self,
        history: &History,
        last: Option<&Path>,
        output: &mut Output,
    ) -> anyhow::Result<ExitCode> {
        let (steps, run) = (history.steps, self.dir());
        if self.args.json {
            let line = Line::Interrupted::<()> { run: to_text(run), steps };
            output.result(serde_json::to_string(&line)?)?;
        }
        note(match (self.args.checkpoints(&self.job.settings), last) {
            (Checkpoints::Never, None) => format!("Interrupted after step {steps}; nothing was kept"),
            (Checkpoints::Never, Some(last)) => format!(
                "Interrupted after step {steps}; {} is kept, resume with: {}",
                last.display(),
                self.args.go_on(run)
            ),
            _ => format!("Interrupted after step {steps}; resume with: {}", self.args.go_on(run)),
        });
        Ok(ExitCode::from(interrupt::EXIT_CODE))
    }

    /// Evaluates on the test set, and writes the weights and the result.
    pub fn keep(
        &mut self,
        history: &History,
        seconds_to_first_step: Option<f64>,
    ) -> anyhow::Result<(Evaluation, RunResult)> {
        let Run { job, sets, model, folder, .. } = self;
        let judging =
            format!("evaluating on {} test {}", thousands(sets.test.len()), samples(model.network()));
        let spinner = (!self.args.quiet()).then(|| spinner(judging));
        let test_begun = Instant::now();
        let evaluation = model.evaluate(&sets.test)?;
        let judged = match evaluation.accuracy {
            Some(_) => None,
            None => Some(self.args.report.judge(model, &sets.test, &job.file.class_names)?),
        };
        let test_seconds = test_begun.elapsed().as_secs_f64();
        if let Some(spinner) = spinner {
            spinner.finish_and_clear();
        }
        let weights = weights_to_bytes(&model.weights()?, &weights_metadata(&job.file.model.name))?;
        if let Some(folder) = folder.as_mut() {
            folder.write(WEIGHTS_FILE, &weights)?;
        }
        let samples = [sets.train.len(), sets.validation.as_ref().map_or(0, Dataset::len), sets.test.len()];
        let known =
            RunResult::new(&job.file, &job.settings, job.seed()?, samples, history, &evaluation, &weights);
        let result = RunResult {
            seconds_to_first_step,
            test_seconds: Some(test_seconds),
            baseline_accuracy: judging::largest_class(&sets.test).map(|(_, share)| share),
            test_metrics: judged.map_or_else(BTreeMap::new, |judged| {
                judged.figures.figures().into_iter().map(|(name, figure)| (name.to_owned(), figure)).collect()
            }),
            ..known
        };
        if let Some(folder) = folder {
            folder.write(RESULT_FILE, format!("{}\n", serde_json::to_string_pretty(&result)?).as_bytes())?;
        }
        Ok((evaluation, result))
    }

    /// Writes and prints the result, and what else was asked for.
    pub fn print(
        &mut self,
        history: &History,
        evaluation: &Evaluation,
        result: &RunResult,
        output: &mut Output,
        ranks: &mut Ranks,
    ) -> anyhow::Result<()> {
        if let Some(profile) = &history.profile {
            let report = Report::new(&self.plan, &self.device, profile, roofs(&self.device));
            self.keep_profile(&report, &report.text(), output)?;
        }
        if let Some(times) = history.step_times.filter(|_| self.args.profile) {
            let report = StepReport {
                micro_batches: self.job.file.training.micro_batches.unwrap_or(1),
                samples: self.plan.batch,
                steps: times.steps,
                processes: ranks.gather(&StepParts::of(&times))?,
            };
            self.keep_profile(&report, &report.text(), output)?;
        }
        if self.args.report.asked() {
            let report =
                self.args.report.judge(&mut self.model, &self.sets.test, &self.job.file.class_names)?;
            output.result(format_args!("\n{}\n", judging::text(&report)))?;
        }
        let run = self.dir().display();
        if self.args.json {
            let line = Line::Result { run: to_text(self.dir()), result };
            return output.result(serde_json::to_string(&line)?);
        }
        output.result(format_args!("Run: {run}"))?;
        judging::print_baseline(&self.sets.test, &self.job.file.class_names, output)?;
        let target = self.model.network().target;
        let figure = result
            .test_accuracy
            .or_else(|| result.test_metrics.get(&main_metric(target).to_lowercase()).copied());
        print_figures((main_metric(target), figure.unwrap_or(f64::NAN)), evaluation.loss, output)
    }
}

/// The callbacks beside the recorder, of a run resumed after these steps and epochs; `lines` takes those of `--json`.
fn listening<'a>(
    args: &TrainArgs,
    folder: &RunFolder,
    from: Option<[usize; 2]>,
    epochs: &[EpochRecord],
    lines: Option<&'a mut Output>,
) -> Vec<Box<dyn Callback + 'a>> {
    let mut listen: Vec<Box<dyn Callback + 'a>> = vec![Box::new(HistoryCsv::new(folder.dir(), epochs))];
    if let Some(board) = args.tensorboard(folder, from) {
        listen.push(Box::new(board));
    }
    if let Some(output) = lines {
        listen.push(Box::new(JsonEpochs(output)));
    }
    listen
}

impl Run<'_> {
    /// Opens the live view of a run in this folder, which may go on from a checkpoint.
    fn view(
        &self,
        folder: &RunFolder,
        options: &FitOptions,
        checkpoint: Option<&Checkpoint>,
    ) -> anyhow::Result<Live> {
        let Run { args, job, sets, device, plan, model, .. } = self;
        let set = sets.validation.as_ref().map_or(("test", &sets.test), |set| ("validation", set));
        let unkept = args.no_checkpoints.then_some(NoMistakes::NoCheckpoints);
        let kernels = match (options.profile, options.micro_batches.unwrap_or(1)) {
            (Some(_), 1) => KernelTimes::Timed,
            (_, 2..) => KernelTimes::InParts,
            _ => KernelTimes::NotAsked,
        };
        let step =
            |(index, step): (usize, &Step)| PlanStep { index, name: step.name.clone(), kind: step.op.kind() };
        let facts = Facts {
            model: job.file.model.name.clone(),
            device: device.title(),
            run: shown(folder.dir()),
            samples: samples(model.network()),
            classes: model.network().target == TargetKind::Classes,
            validation: sets.validation.is_some(),
            steps: plan.steps_of(Phase::Train).map(step).collect(),
            kernels,
            no_mistakes: cannot_show(set.1).or(unkept),
        };
        let before = checkpoint.map_or(&[][..], |checkpoint| &checkpoint.epochs);
        Live::open(facts, before, &job.file, set)
    }

    fn keep_profile(
        &mut self,
        report: &impl Serialize,
        text: &str,
        output: &mut Output,
    ) -> anyhow::Result<()> {
        if let Some(folder) = &mut self.folder {
            let json = format!("{}\n", serde_json::to_string_pretty(report)?);
            folder.write(PROFILE_FILE, json.as_bytes())?;
        }
        output.result(format_args!("\n{text}\n"))
    }
}

/// Trains a model, and those of other devices beside it, each on a thread of its own.
fn side_by_side(
    model: &mut Model,
    joined: &mut Joined,
    data: &Dataset,
    options: &FitOptions,
    checkpoint: Option<Checkpoint>,
    callback: &mut dyn Callback,
) -> Result<History, Error> {
    let others = std::mem::take(&mut joined.others);
    let outer = std::mem::replace(&mut joined.in_training, Box::new(Alone));
    let updates = joined.updates;
    let fit = |model: &mut Model, collective: Box<dyn Collective>, callback: &mut dyn Callback| {
        model.distribute(collective, updates);
        let leaving = Leaving(model);
        match checkpoint.clone() {
            Some(checkpoint) => leaving.0.resume(data, options, checkpoint, callback),
            None => leaving.0.fit(data, options, callback),
        }
    };
    if others.is_empty() {
        let history = fit(model, outer, callback);
        model.distribute(std::mem::replace(&mut joined.afterwards, Box::new(Alone)), Updates::Everywhere);
        return history;
    }
    let mut threads = Threads::within(outer, 1 + others.len());
    let first = threads.remove(0);
    let (history, ended) = std::thread::scope(|scope| {
        let begin = |(mut other, thread): (Model, Threads)| {
            let fit = &fit;
            scope.spawn(move || fit(&mut other, Box::new(thread), &mut NoCallback).map(drop))
        };
        let running: Vec<_> = others.into_iter().zip(threads).map(begin).collect();
        let history = fit(model, Box::new(first), callback);
        (history, running.into_iter().map(|thread| thread.join()).collect::<Vec<_>>())
    });
    model.distribute(std::mem::replace(&mut joined.afterwards, Box::new(Alone)), Updates::Everywhere);
    for ended in ended {
        match ended {
            // What went wrong there went wrong everywhere, or is why the others ended.
            Ok(Err(error)) if is_of_another(&history) && !is_failed(&error) => return Err(error),
            Ok(_) => {}
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
    history
}

/// Whether training ended only because another device did.
fn is_of_another(history: &Result<History, Error>) -> bool {
    history.as_ref().is_err_and(is_failed)
}

fn is_failed(error: &Error) -> bool {
    matches!(error, Error::Collective(CollectiveError::Failed { .. }))
}

/// Those that wait for this model shall not for ever, however its training ends.
struct Leaving<'a>(&'a mut Model);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        drop(self.0.take_collective());
    }
}
