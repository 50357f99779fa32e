//! Event files of TensorBoard in the folder of a resumed run.

use std::fs;

use shadegrad::io::TensorBoard;
use shadegrad::train::{Callback, EpochRecord, Schedule, StepRecord};

use super::{Player, Taken, told};
use crate::damage;
use crate::dice::Dice;
use crate::place::{Place, put_something_odd};

const SCHEDULE: Schedule = Schedule::new(3, 4);
const NAMES: [&str; 5] = [
    "events.out.tfevents.1.2.0.shadegrad",
    "events.out.tfevents..shadegrad",
    "events.out.tfevents.99999999999999999999.shadegrad",
    "events.out.tfevents.1.other",
    "notes.txt",
];

pub struct Events {
    /// The records of a whole file.
    records: Vec<Vec<u8>>,
}

impl Events {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut board = TensorBoard::new(folder.path());
        board.on_train_begin(&SCHEDULE).unwrap();
        for step in 1..=8 {
            board.on_step(&of_step(step, step.div_ceil(4), 0.5, 1, 4)).unwrap();
            if step % 4 == 0 {
                board.on_epoch_end(&epoch(step / 4)).unwrap();
            }
        }
        drop(board);
        let file = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap();
        let bytes = fs::read(file.path()).unwrap();
        let (mut rest, mut records) = (bytes.as_slice(), Vec::new());
        while let Some(length) = rest.first_chunk() {
            let (record, following) = rest.split_at(16 + u64::from_le_bytes(*length) as usize);
            records.push(record.to_vec());
            rest = following;
        }
        Events { records }
    }

    fn hostile(&self, dice: &mut Dice) -> Vec<u8> {
        let mut records = self.records.clone();
        for _ in 0..dice.below(4) {
            let at = dice.below(records.len());
            match dice.below(4) {
                _ if records.is_empty() => {}
                0 => drop(records.remove(at)),
                1 => records.insert(at, records[at].clone()),
                // A damaged event in an intact record.
                _ => {
                    let event = &records[at][12..records[at].len() - 4];
                    records[at] = framed(&damage::bytes(event, dice));
                }
            }
        }
        let bytes = records.concat();
        if dice.once_in(2) { bytes } else { damage::bytes(&bytes, dice) }
    }
}

fn of_step(step: usize, epoch: usize, loss: f32, correct: u32, n: u32) -> StepRecord {
    let mut record = StepRecord::new(step, epoch, loss, n);
    (record.correct, record.learning_rate) = (Some(correct), 0.1);
    record
}

fn epoch(epoch: usize) -> EpochRecord {
    let mut record = EpochRecord::new(epoch, 0.5);
    (record.accuracy, record.val_loss) = (Some(0.75), Some(f64::NAN));
    (record.learning_rate, record.seconds) = (0.001, 0.5);
    record
}

/// A record with the checksums that it should have.
fn framed(event: &[u8]) -> Vec<u8> {
    let length = (event.len() as u64).to_le_bytes();
    let parts: [&[u8]; 4] = [&length, &masked(&length), event, &masked(event)];
    parts.concat()
}

/// CRC-32C, masked as TensorFlow does.
fn masked(bytes: &[u8]) -> [u8; 4] {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
        }
    }
    (!crc).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

impl Player for Events {
    fn play(&self, place: &Place, dice: &mut Dice) -> Taken {
        let dir = place.clear().join("board");
        fs::create_dir(&dir).unwrap();
        for _ in 0..=dice.below(2) {
            let path = dir.join(dice.pick(&NAMES));
            if dice.once_in(8) {
                put_something_odd(&path, place, dice);
            } else if !path.exists() && !path.is_symlink() {
                fs::write(path, self.hostile(dice)).unwrap();
            }
        }
        let from = [dice.number() as usize, dice.number() as usize];
        let mut board = TensorBoard::new(&dir).going_on(Some(from));
        told(board.has_events());
        let begun = told(board.on_train_begin(&SCHEDULE));
        if begun {
            told(board.on_step(&of_step(1, 1, f32::NAN, 0, 0)));
            told(board.on_epoch_end(&epoch(1)));
        }
        begun
    }
}
