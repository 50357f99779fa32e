//! Metrics of a training as an event file of TensorBoard.
//!
//! | tag | step | value |
//! |---|---|---|
//! | `batch_loss`, `batch_accuracy` | optimizer step | of that batch |
//! | `loss`, `accuracy`, `val_loss`, `val_accuracy`, `learning_rate` | epoch | of that epoch |
//!
//! A file is a sequence of records: length (u64), its checksum, an `Event` of `tensorboard/compat/proto/event.proto`, its
//! checksum, all little-endian. Checksums are CRC-32C, masked as `tensorflow/core/lib/hash/crc32c.h` describes.
//!
//! TensorBoard reads the files of a folder in the order of their names, and drops what it has read of a curve where a
//! step is not later than the one before. So a resumed run writes into a file whose name sorts after all others, with
//! times that do not go back, whatever the clock says by then.

mod event;
mod files;

use std::path::{Path, PathBuf};

use self::event::{Event, Summary, Value, What};
use self::files::EventFile;
use super::run::RunError;
use crate::train::{Callback, CallbackError, Checkpoint, EpochRecord, Schedule, StepRecord};

/// The metrics of a batch; all others are of an epoch.
const BATCH_LOSS: &str = "batch_loss";
const BATCH_ACCURACY: &str = "batch_accuracy";
/// Writes an event file while a model trains; the file is created when training begins.
#[derive(Debug)]
pub struct TensorBoard {
    dir: PathBuf,
    /// Steps and epochs of a resumed run.
    from: Option<[usize; 2]>,
    file: Option<EventFile>,
}

impl TensorBoard {
    /// Into this folder, created if it is missing; a file that is there already stays, and the new one is put beside
    /// it.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        TensorBoard { dir: dir.into(), from: None, file: None }
    }

    /// For a run that is resumed after this many steps and epochs: later events in the folder's files are cut off,
    /// since they will be written again.
    pub fn going_on(self, from: Option<[usize; 2]>) -> Self {
        TensorBoard { from, ..self }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether a run has written into the folder before.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn has_events(&self) -> Result<bool, RunError> {
        Ok(!files::named(&self.dir)?.is_empty())
    }

    fn write(&mut self, step: usize, figures: &[(&str, f32)]) -> Result<(), RunError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let value = |&(tag, figure): &(&str, f32)| Value { tag: tag.to_owned(), simple_value: figure };
        let summary = Summary { value: figures.iter().map(value).collect() };
        file.push(step, What::Summary(summary))
    }
}

impl Callback for TensorBoard {
    fn on_train_begin(&mut self, _: &Schedule) -> Result<(), CallbackError> {
        let last = match self.from {
            Some(from) => files::cut_back(&self.dir, |event| comes_again(event, from))?,
            None => 0.0,
        };
        self.file = Some(EventFile::create(&self.dir, last)?);
        Ok(())
    }

    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        let accuracy = record.correct.map(|correct| (BATCH_ACCURACY, correct as f32 / record.n as f32));
        let figures: Vec<_> = [(BATCH_LOSS, record.loss)].into_iter().chain(accuracy).collect();
        self.write(record.step, &figures)?;
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        let figures = [
            ("loss", Some(record.loss)),
            ("accuracy", record.accuracy),
            ("val_loss", record.val_loss),
            ("val_accuracy", record.val_accuracy),
            ("learning_rate", Some(record.learning_rate.into())),
        ];
        let known: Vec<_> =
            figures.into_iter().filter_map(|(tag, figure)| Some((tag, figure? as f32))).collect();
        self.write(record.epoch, &known)?;
        if let Some(file) = &mut self.file {
            file.flush()?;
        }
        Ok(())
    }

    /// So that a run resumed from here finds every event before it.
    fn on_checkpoint(&mut self, _: &Checkpoint) -> Result<(), CallbackError> {
        if let Some(file) = &mut self.file {
            file.sync()?;
        }
        Ok(())
    }
}

/// Whether an event is of a later step or epoch than these.
fn comes_again(event: &Event, [steps, epochs]: [usize; 2]) -> bool {
    let of_step = |value: &Value| [BATCH_LOSS, BATCH_ACCURACY].contains(&value.tag.as_str());
    let last = match &event.what {
        Some(What::Summary(summary)) if summary.value.iter().any(of_step) => steps,
        _ => epochs,
    };
    event.step > last as i64
}

#[cfg(test)]
mod tests {
    use std::fs;

    use prost::Message;

    use super::event::{first_event, framed};
    use super::*;
    use crate::model::{Dense, Flatten, Sequential};
    use crate::train::TrainingState;

    fn events(mut bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some((event, following)) = first_event(bytes) {
            events.push(event);
            bytes = following;
        }
        assert!(bytes.is_empty());
        events
    }

    #[test]
    fn a_run_that_goes_on_cuts_off_what_comes_again() {
        let folder = tempfile::tempdir().unwrap();
        let schedule = Schedule { epochs: 3, steps_per_epoch: 2, steps: 6, steps_done: 0 };
        let record = |epoch| EpochRecord {
            epoch,
            loss: 0.5,
            accuracy: Some(0.75),
            val_loss: None,
            val_accuracy: None,
            learning_rate: 0.125,
            seconds: 1.0,
        };
        let train = |from: Option<[usize; 2]>| {
            let mut board = TensorBoard::new(folder.path()).going_on(from);
            board.on_train_begin(&schedule).unwrap();
            for step in from.map_or(1, |[steps, _]| steps + 1)..=6 {
                let epoch = step.div_ceil(2);
                board
                    .on_step(&StepRecord {
                        step,
                        epoch,
                        loss: 2.0,
                        correct: Some(1),
                        n: 4,
                        learning_rate: 0.1,
                    })
                    .unwrap();
                if step % 2 == 0 {
                    board.on_epoch_end(&record(epoch)).unwrap();
                }
            }
        };
        train(None);
        let first = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let whole = fs::read(&first).unwrap();
        // (steps and epochs of the checkpoint, bytes that were lost, events that stay with the version's)
        let rows =
            [([3, 1], 0, 5), ([2, 1], 0, 4), ([4, 2], 0, 7), ([6, 3], 0, 10), ([6, 3], 5, 9), ([0, 0], 9, 1)];
        for (from, lost, expected) in rows {
            fs::write(&first, &whole[..whole.len() - lost]).unwrap();
            train(Some(from));
            assert_eq!(events(&fs::read(&first).unwrap()).len(), expected, "{from:?}, {lost} bytes lost");
        }
        let mut damaged = whole.clone();
        damaged[whole.len() / 2] ^= 1;
        fs::write(&first, &damaged).unwrap();
        train(Some([6, 3]));
        let left = events(&fs::read(&first).unwrap());
        assert!((2..10).contains(&left.len()) && left[..] == events(&whole)[..left.len()]);
        // A file of another program stays as it is.
        let other = folder.path().join("events.out.tfevents.1.host");
        fs::write(&other, &whole).unwrap();
        train(Some([0, 0]));
        assert_eq!(fs::read(&other).unwrap(), whole);
    }

    /// As TensorBoard reads a folder: file by file in the order of their names, event by event.
    #[test]
    fn a_clock_that_was_set_back_puts_nothing_out_of_order() {
        const AHEAD: f64 = 9e8;
        let folder = tempfile::tempdir().unwrap();
        let schedule = Schedule { epochs: 1, steps_per_epoch: 9, steps: 9, steps_done: 0 };
        let listed = || -> Vec<_> {
            let mut files: Vec<_> =
                fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            files
        };
        // (steps that are there already, last step)
        for (from, to) in [(0, 4), (3, 5), (5, 9)] {
            let mut board = TensorBoard::new(folder.path()).going_on((from > 0).then_some([from, 0]));
            board.on_train_begin(&schedule).unwrap();
            for step in from + 1..=to {
                board
                    .on_step(&StepRecord {
                        step,
                        epoch: 1,
                        loss: 2.0,
                        correct: Some(1),
                        n: 4,
                        learning_rate: 0.1,
                    })
                    .unwrap();
            }
            drop(board);
            if from == 0 {
                // The clock was ahead when the first file got its name and times.
                let path = listed().remove(0);
                let mut ours = events(&fs::read(&path).unwrap());
                ours.iter_mut().for_each(|event| event.wall_time += AHEAD);
                let bytes: Vec<u8> = ours.iter().flat_map(|e| framed(&e.encode_to_vec())).collect();
                let name = format!("events.out.tfevents.{}.1.0.shadegrad", ours[0].wall_time as u64);
                fs::write(path.with_file_name(name), bytes).unwrap();
                fs::remove_file(path).unwrap();
            }
        }
        let files = listed();
        assert_eq!(files.len(), 3);
        let all: Vec<_> = files.iter().flat_map(|file| events(&fs::read(file).unwrap())).collect();
        let steps: Vec<_> = all.iter().map(|event| event.step).filter(|step| *step > 0).collect();
        assert_eq!(steps, (1..=9).collect::<Vec<_>>());
        assert!(all.is_sorted_by(|a, b| a.wall_time <= b.wall_time), "{all:?}");
    }

    /// So that a process that is killed afterwards leaves no gap.
    #[test]
    fn every_event_before_a_checkpoint_is_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut board = TensorBoard::new(folder.path());
        board.on_train_begin(&Schedule { epochs: 1, steps_per_epoch: 9, steps: 9, steps_done: 0 }).unwrap();
        let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let network = Sequential::new([1, 1, 1]).add(Flatten::new()).add(Dense::new(2)).network().unwrap();
        let checkpoint = Checkpoint {
            training: TrainingState::default(),
            weights: network.initial_weights(0),
            optimizer_state: Vec::new(),
            best_weights: None,
            epochs: Vec::new(),
            stopped: None,
            asked_for: false,
        };
        for step in 1..=9 {
            board
                .on_step(&StepRecord {
                    step,
                    epoch: 1,
                    loss: 2.0,
                    correct: Some(1),
                    n: 4,
                    learning_rate: 0.1,
                })
                .unwrap();
            if step % 3 == 0 {
                board.on_checkpoint(&checkpoint).unwrap();
                assert_eq!(events(&fs::read(&file).unwrap()).len(), 1 + step);
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("new/logs");
        let schedule = Schedule { epochs: 1, steps_per_epoch: 1, steps: 1, steps_done: 0 };
        let epoch = EpochRecord {
            epoch: 1,
            loss: 0.5,
            accuracy: Some(0.75),
            val_loss: Some(0.25),
            val_accuracy: None,
            learning_rate: 0.125,
            seconds: 1.0,
        };
        // Two in the same second get a file each.
        for _ in 0..2 {
            let mut board = TensorBoard::new(&dir);
            board.on_train_begin(&schedule).unwrap();
            board
                .on_step(&StepRecord {
                    step: 1,
                    epoch: 1,
                    loss: 2.0,
                    correct: Some(1),
                    n: 4,
                    learning_rate: 0.1,
                })
                .unwrap();
            board.on_epoch_end(&epoch).unwrap();
        }
        let files: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 2);
        let events = events(&fs::read(&files[0]).unwrap());
        assert_eq!(events[0].what, Some(What::FileVersion("brain.Event:2".to_owned())));
        let figures = |event: &Event| match &event.what {
            Some(What::Summary(summary)) => {
                summary.value.iter().map(|value| (value.tag.clone(), value.simple_value)).collect::<Vec<_>>()
            }
            _ => Vec::new(),
        };
        let named =
            |rows: &[(&str, f32)]| rows.iter().map(|(tag, v)| ((*tag).to_owned(), *v)).collect::<Vec<_>>();
        assert_eq!(figures(&events[1]), named(&[("batch_loss", 2.0), ("batch_accuracy", 0.25)]));
        let expected =
            named(&[("loss", 0.5), ("accuracy", 0.75), ("val_loss", 0.25), ("learning_rate", 0.125)]);
        assert_eq!(figures(&events[2]), expected);
    }
}
