//! What a page shows.

use super::decided::Decided;
use super::error::ReportError;
use super::images::Image;
use super::layers::{self, LayerView};
use super::logs::{Epoch, Logs, Profile};
use super::mistakes::{self, Mistake, Target};
use super::plots::{self, Plot};
use crate::data::{Dataset, TargetKind};
use crate::error::Error;
use crate::io::SavedRun;
use crate::io::run::RunResult;
use crate::plan::PlanError;
use crate::train::{Judgement, Model};

/// The test image that is followed through the layers.
pub(super) const FOLLOWED: usize = 0;

/// What the model was evaluated on for the page.
#[derive(Debug, Default)]
pub struct Judged {
    /// `mnist` or a folder; empty where it is not known.
    pub data: String,
    /// Whether it differs from the test set that the run was evaluated on: then the run's loss is not the loss on
    /// this one.
    pub is_other: bool,
}

/// Everything that the page shows.
#[derive(Debug)]
pub struct RunReport<'a> {
    pub(super) run: &'a SavedRun,
    pub(super) result: Option<&'a RunResult>,
    pub(super) judged: Judged,
    /// Images of the test set.
    pub(super) samples: usize,
    /// The text of `model.toml`.
    pub(super) model_toml: String,
    pub(super) epochs: Vec<Epoch>,
    pub(super) plots: Vec<Plot>,
    pub(super) figures: Judgement,
    pub(super) mistakes: Vec<Mistake>,
    /// `None` where nobody asked, or where targets are no classes or samples no images.
    pub(super) decided: Option<Result<Decided, PlanError>>,
    pub(super) filters: Option<LayerView>,
    /// `None` where samples are no images.
    pub(super) followed: Option<Image>,
    pub(super) followed_name: Option<String>,
    pub(super) followed_target: Target,
    pub(super) followed_outputs: Vec<f32>,
    pub(super) activations: Vec<LayerView>,
    /// How many more layers there are.
    pub(super) layers_left_out: usize,
    pub(super) profile: Option<Profile>,
}

impl<'a> RunReport<'a> {
    /// Gathers it from a run, what it wrote of itself, a test set, and the model's predictions for that: `[samples, classes]`. The
    /// result of the run may be missing.
    ///
    /// # Errors
    /// When predictions and test set do not fit together, or a picture cannot be made.
    pub fn new(
        run: &'a SavedRun,
        result: Option<&'a RunResult>,
        logs: Logs,
        test: &Dataset,
        outputs: &[f32],
    ) -> Result<Self, ReportError> {
        let Logs { model: model_toml, epochs, step_losses, profile } = logs;
        let classes = run.network.classes();
        let (activations, layers_left_out) = layers::within_budget(layers::activations(run, test, FOLLOWED)?);
        Ok(RunReport {
            run,
            result,
            judged: Judged::default(),
            samples: test.len(),
            model_toml,
            plots: plots::plots(&epochs, &step_losses)?,
            epochs,
            figures: Judgement::new(outputs, test, 1).map_err(Error::from)?,
            mistakes: mistakes::worst(test, outputs, classes)?,
            decided: None,
            filters: layers::filters(run)?,
            followed: mistakes::image(test, FOLLOWED)?,
            followed_name: test.sample_name(FOLLOWED).map(str::to_owned),
            followed_target: Target::of(test, FOLLOWED),
            followed_outputs: outputs[FOLLOWED * classes..][..classes].to_vec(),
            activations,
            layers_left_out,
            profile,
        })
    }

    /// Says what the test set is.
    pub fn on(self, judged: Judged) -> Self {
        RunReport { judged, ..self }
    }

    /// Adds which pixels decided: saliency and Grad-CAM of some mistakes and of a sure example of each class, by the run's model, a test set
    /// of images with classes, and the model's predictions for it: `[samples, classes]`. Other models and sets leave it as it is.
    ///
    /// # Errors
    /// When the device fails, or has no room for it.
    pub fn with_pixels(
        self,
        model: &mut Model,
        test: &Dataset,
        outputs: &[f32],
    ) -> Result<Self, ReportError> {
        if test.target() != TargetKind::Classes {
            return Ok(self);
        }
        let decided = match Decided::new(model, test, outputs, &self.mistakes) {
            Ok(decided) => decided.map(Ok),
            // The way back to the input may take what training never needed. The page is whole without it.
            Err(ReportError::Run(Error::Plan(error))) => Some(Err(error)),
            Err(error) => return Err(error),
        };
        Ok(RunReport { decided, ..self })
    }

    /// The plots in it.
    pub fn plots(&self) -> &[Plot] {
        &self.plots
    }
}
