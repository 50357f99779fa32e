//! Figures of a training as an event file of TensorBoard.
//!
//! | tag | step | figure |
//! |---|---|---|
//! | `batch_loss`, `batch_accuracy` | optimizer step | of that batch |
//! | `loss`, `accuracy`, `val_loss`, `val_accuracy`, `learning_rate` | epoch | of that epoch |
//!
//! A file is a sequence of records: length (u64), its checksum, an `Event` of `tensorboard/compat/proto/event.proto`, its
//! checksum, all little-endian. Checksums are CRC-32C, masked as `tensorflow/core/lib/hash/crc32c.h` describes.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use prost::{Message, Oneof};

use super::checkpoint::sync_folder;
use super::run::RunError;
use crate::train::{Callback, CallbackError, Checkpoint, EpochRecord, Schedule, StepRecord};

/// What the first event of every file says.
const VERSION: &str = "brain.Event:2";
/// Bytes of a record beside its event: the length and two checksums.
const FRAME: usize = size_of::<u64>() + 2 * size_of::<u32>();
/// What is added to a checksum that was turned by 15 bits.
const MASK: u32 = 0xa282_ead8;

/// The figures of a step; all others are of an epoch.
const BATCH_LOSS: &str = "batch_loss";
const BATCH_ACCURACY: &str = "batch_accuracy";
/// How the name of a file begins, by which TensorBoard knows it, and how ours end.
const PREFIX: &str = "events.out.tfevents.";
const SUFFIX: &str = ".shadegrad";

/// Writes an event file while a model trains; begun when training is.
#[derive(Debug)]
pub struct TensorBoard {
    dir: PathBuf,
    /// Steps and epochs of a run that goes on.
    from: Option<[usize; 2]>,
    file: Option<EventFile>,
}

impl TensorBoard {
    /// Into this folder, made when it is missing; a file that is there already stays, and gets one beside it.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        TensorBoard { dir: dir.into(), from: None, file: None }
    }

    /// Of a run that goes on after so many steps and epochs: what the files in the folder say of later ones is cut off,
    /// since it comes again.
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
        Ok(!self.files()?.is_empty())
    }

    /// The event files in the folder that are ours.
    fn files(&self) -> Result<Vec<PathBuf>, RunError> {
        let fail = |cause| RunError::write(&self.dir, cause);
        let entries = match fs::read_dir(&self.dir) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(fail)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
                files.push(entry.path());
            }
        }
        Ok(files)
    }

    fn cut_back(&self, from: [usize; 2]) -> Result<(), RunError> {
        let cut = |path: &PathBuf| cut(path, from).map_err(|cause| RunError::write(path, cause));
        self.files()?.iter().try_for_each(cut)
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
        if let Some(from) = self.from {
            self.cut_back(from)?;
        }
        self.file = Some(EventFile::create(&self.dir)?);
        Ok(())
    }

    fn on_step(&mut self, record: &StepRecord) -> Result<(), CallbackError> {
        let accuracy = record.correct as f32 / record.n as f32;
        self.write(record.step, &[(BATCH_LOSS, record.loss), (BATCH_ACCURACY, accuracy)])?;
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord) -> Result<(), CallbackError> {
        let figures = [
            ("loss", Some(record.loss)),
            ("accuracy", Some(record.accuracy)),
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

    /// A run that goes on from here finds every event before it.
    fn on_checkpoint(&mut self, _: &Checkpoint) -> Result<(), CallbackError> {
        if let Some(file) = &mut self.file {
            file.sync()?;
        }
        Ok(())
    }
}

/// `Event`.
#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5")]
    what: Option<What>,
}

/// What an event is.
#[derive(Clone, PartialEq, Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
}

/// `Summary`.
#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

/// `Summary.Value`, of scalars only.
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, tag = "2")]
    simple_value: f32,
}

#[derive(Debug)]
struct EventFile {
    path: PathBuf,
    writer: BufWriter<File>,
}

impl EventFile {
    fn create(dir: &Path) -> Result<Self, RunError> {
        fs::create_dir_all(dir).map_err(|cause| RunError::write(dir, cause))?;
        // The reader takes files in the order of their names: seconds first, then what parts two of one second.
        let (seconds, process) = (now() as u64, std::process::id());
        for n in 0u64.. {
            let path = dir.join(format!("{PREFIX}{seconds}.{process}.{n}{SUFFIX}"));
            match File::create_new(&path) {
                Ok(file) => {
                    let mut file = EventFile { path, writer: BufWriter::new(file) };
                    file.push(0, What::FileVersion(VERSION.to_owned()))?;
                    sync_folder(dir).map_err(|cause| RunError::write(dir, cause))?;
                    return Ok(file);
                }
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(RunError::write(&path, cause)),
            }
        }
        Err(RunError::write(dir, io::ErrorKind::AlreadyExists.into()))
    }

    fn push(&mut self, step: usize, what: What) -> Result<(), RunError> {
        let event = Event { wall_time: now(), step: step as i64, what: Some(what) };
        let written = self.writer.write_all(&framed(&event.encode_to_vec()));
        written.map_err(|cause| RunError::write(&self.path, cause))
    }

    fn flush(&mut self) -> Result<(), RunError> {
        self.writer.flush().map_err(|cause| RunError::write(&self.path, cause))
    }

    fn sync(&mut self) -> Result<(), RunError> {
        self.flush()?;
        self.writer.get_ref().sync_data().map_err(|cause| RunError::write(&self.path, cause))
    }
}

/// Seconds since 1970; 0 on a clock that is set before.
fn now() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Cuts a file before the first event of a later step or epoch, or the first that is damaged or not whole.
fn cut(path: &Path, [steps, epochs]: [usize; 2]) -> io::Result<()> {
    let bytes = fs::read(path)?;
    let mut rest = bytes.as_slice();
    while let Some((event, following)) = first_event(rest) {
        let of_step = |value: &Value| [BATCH_LOSS, BATCH_ACCURACY].contains(&value.tag.as_str());
        let last = match &event.what {
            Some(What::Summary(summary)) if summary.value.iter().any(of_step) => steps,
            _ => epochs,
        };
        if event.step > last as i64 {
            break;
        }
        rest = following;
    }
    let end = bytes.len() - rest.len();
    if end == bytes.len() { Ok(()) } else { File::options().write(true).open(path)?.set_len(end as u64) }
}

/// The first event of a sequence, and what follows it.
fn first_event(bytes: &[u8]) -> Option<(Event, &[u8])> {
    let length = u64::from_le_bytes(*bytes.first_chunk()?);
    let whole = FRAME.checked_add(usize::try_from(length).ok()?)?;
    let (record, following) = bytes.split_at_checked(whole)?;
    let event = record.get(FRAME - size_of::<u32>()..whole - size_of::<u32>())?;
    (framed(event) == record).then(|| Some((Event::decode(event).ok()?, following)))?
}

fn framed(event: &[u8]) -> Vec<u8> {
    let length = (event.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked(&length).to_le_bytes());
    record.extend(event);
    record.extend(masked(event).to_le_bytes());
    record
}

fn masked(bytes: &[u8]) -> u32 {
    crc32c(bytes).rotate_right(15).wrapping_add(MASK)
}

/// CRC-32C (Castagnoli), bit by bit: a run writes some hundred kilobytes.
fn crc32c(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let bit = |crc: u32, _| if crc & 1 == 1 { POLYNOMIAL ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0u32, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), bit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dense, Flatten, Sequential};
    use crate::train::TrainingState;

    #[test]
    fn the_checksum_is_that_of_rfc_3720() {
        for (bytes, sum) in [(&[0u8; 32], 0x8a91_36aa), (&[0xff; 32], 0x62a8_ab43)] {
            assert_eq!(crc32c(bytes), sum);
        }
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

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
            accuracy: 0.75,
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
                board.on_step(&StepRecord { step, epoch, loss: 2.0, correct: 1, n: 4 }).unwrap();
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
        };
        for step in 1..=9 {
            board.on_step(&StepRecord { step, epoch: 1, loss: 2.0, correct: 1, n: 4 }).unwrap();
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
            accuracy: 0.75,
            val_loss: Some(0.25),
            val_accuracy: None,
            learning_rate: 0.125,
            seconds: 1.0,
        };
        // Two in one second get a file each.
        for _ in 0..2 {
            let mut board = TensorBoard::new(&dir);
            board.on_train_begin(&schedule).unwrap();
            board.on_step(&StepRecord { step: 1, epoch: 1, loss: 2.0, correct: 1, n: 4 }).unwrap();
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
