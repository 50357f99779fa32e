//! Whether the schedule of a learning rate is over before training is.

use std::path::Path;

use toml::Table;

use super::go_on::program;
use super::output::note;
use super::path_text::shell_word;
use crate::io::ModelFile;
use crate::io::run::WEIGHTS_FILE;
use crate::train::{CosineDecay, FitOptions, LearningRateSchedule, OneCycle};

/// A run that goes on: its folder, and the steps that it has taken.
pub struct Before<'a> {
    pub run: &'a Path,
    pub steps: usize,
}

/// Warns of a schedule that has come down before the last step, and, in a new run, of early stopping beside one that comes down. Trained
/// are so many samples.
pub fn tell(file: &ModelFile, options: &FitOptions, samples: usize, before: Option<&Before<'_>>) {
    let Some(end) = options.schedule.steps() else { return };
    if let Some(warning) = warning(options, file.optimizer.learning_rate(), samples, end, before) {
        note(format_args!("warning: {warning}"));
    } else if options.early_stopping.is_some() && before.is_none() {
        note(format_args!(
            "note: early stopping may end training before the schedule `{}` has brought the rate down, which is where it pays; \
             --schedule type=constant turns the schedule off",
            options.schedule.name()
        ));
    }
}

fn warning(
    options: &FitOptions,
    base: f64,
    samples: usize,
    end: usize,
    before: Option<&Before<'_>>,
) -> Option<String> {
    let of_epoch = samples.div_ceil(options.batch_of(samples).max(1)).max(1);
    let steps = of_epoch.saturating_mul(options.epochs).min(options.max_steps.unwrap_or(usize::MAX));
    if steps <= end {
        return None;
    }
    let (name, epoch, epochs) = (options.schedule.name(), end.div_ceil(of_epoch), steps.div_ceil(of_epoch));
    let rate = match options.schedule.rate(end, base) {
        0.0 => "0".to_owned(),
        rate => format!("{rate:.1e}").replace(".0e", "e"),
    };
    let ends = format!("the schedule `{name}` ends after step {end}, epoch {epoch} of {epochs}");
    Some(match before {
        None => format!(
            "{ends}; from then on the rate stays {rate}: give it more steps with --schedule {}, or train for fewer epochs, \
             --epochs {epoch}",
            as_flag(&options.schedule.over(steps))
        ),
        Some(Before { run, steps }) => {
            let ends = match *steps >= end {
                true => format!("the schedule `{name}` is over since step {end}, and the rate stays {rate}"),
                false => format!("{ends}; from then on the rate stays {rate}"),
            };
            format!(
                "{ends}: a resumed run keeps its schedule. To train further, begin a new run from its weights: {} train --init {}",
                program(),
                shell_word(&run.join(WEIGHTS_FILE))
            )
        }
    })
}

/// As `--schedule` takes it, without what is the default.
fn as_flag(schedule: &LearningRateSchedule) -> String {
    let plain = match schedule {
        LearningRateSchedule::OneCycle(_) => OneCycle::new(0).into(),
        LearningRateSchedule::Cosine(_) => CosineDecay {
            initial_learning_rate: None,
            decay_steps: 0,
            alpha: 0.0,
            warmup_target: None,
            warmup_steps: 0,
        }
        .into(),
        _ => LearningRateSchedule::Constant,
    };
    let table = |schedule: &LearningRateSchedule| Table::try_from(schedule).unwrap_or_default();
    let plain = table(&plain);
    let others = table(schedule).into_iter().filter(|(key, value)| plain.get(key) != Some(value));
    let pairs = others.map(|(key, value)| format!(",{key}={value}"));
    format!("type={}{}", schedule.name(), pairs.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::settings::settings;

    #[test]
    fn a_schedule_that_is_over_too_early_is_told() {
        let cycle = |steps| OneCycle { pct_start: 0.4, max_learning_rate: Some(0.5), ..OneCycle::new(steps) };
        let cosine = |steps| CosineDecay {
            initial_learning_rate: None,
            decay_steps: steps,
            alpha: 0.1,
            warmup_target: Some(0.02),
            warmup_steps: 8,
        };
        let options = |schedule: LearningRateSchedule, max_steps| FitOptions {
            epochs: 20,
            batch_size: 10,
            max_steps,
            schedule,
            ..FitOptions::default()
        };
        let run = Path::new("runs/x");
        let at = |steps| Some(Before { run, steps });
        // An epoch has 12 steps. The options, the steps before, and what is said.
        let rows = [
            (options(OneCycle::new(240).into(), None), None, None),
            (options(OneCycle::new(144).into(), Some(144)), None, None),
            (
                options(OneCycle::new(144).into(), None),
                None,
                Some(
                    "the schedule `one_cycle` ends after step 144, epoch 12 of 20; from then on the rate stays 8e-9: give it more \
                     steps with --schedule type=one_cycle,total_steps=240, or train for fewer epochs, --epochs 12",
                ),
            ),
            (
                options(cycle(100).into(), Some(150)),
                None,
                Some(
                    "epoch 9 of 13; from then on the rate stays 2e-6: give it more steps with --schedule type=one_cycle,",
                ),
            ),
            (
                options(cosine(100).into(), None),
                None,
                Some(
                    "the schedule `cosine` ends after step 108, epoch 9 of 20; from then on the rate stays 2e-3: ",
                ),
            ),
            (
                options(OneCycle::new(144).into(), None),
                at(144),
                Some(
                    "the schedule `one_cycle` is over since step 144, and the rate stays 8e-9: a resumed run keeps its",
                ),
            ),
            (
                options(OneCycle::new(144).into(), None),
                at(12),
                Some(
                    "ends after step 144, epoch 12 of 20; from then on the rate stays 8e-9: a resumed run keeps its schedule.",
                ),
            ),
        ];
        for (options, before, expected) in rows {
            let end = options.schedule.steps().unwrap();
            let found = warning(&options, 0.002, 120, end, before.as_ref());
            let fits = found.as_deref().zip(expected).map(|(found, expected)| found.contains(expected));
            assert_eq!(fits, expected.map(|_| true), "{found:?} lacks {expected:?}");
            if before.is_some() {
                assert!(found.unwrap().ends_with("train --init runs/x/weights.safetensors"));
            }
        }
        // What is said to be given is that schedule with more steps.
        for schedule in [cycle(100).into(), cosine(100).into(), OneCycle::new(3).into()] {
            let more: LearningRateSchedule = LearningRateSchedule::over(&schedule, 240);
            assert_eq!(settings::<LearningRateSchedule>(&as_flag(&more)).unwrap(), more);
        }
    }
}
