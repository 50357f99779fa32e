//! Which pictures are trained on, validated with and tested on.

use super::folders::{File, Listed, SETS};
use crate::data::error::DataError;
use crate::data::split::three_ways;

/// The files of the training, the validation and the test set, each in the order of the classes and then of their paths, and how
/// they came about, in a line. What no folder says is split by the seed, by classes.
pub(super) fn parts(listed: &mut Listed, seed: u64) -> Result<([Vec<File>; 3], String), DataError> {
    let [train, validation, test] = std::mem::take(&mut listed.files);
    let by_seed = format!("by classes, with the split seed {seed}");
    Ok(match listed.given {
        [_, true, true] => {
            ([train, validation, test], "training, validation and test set as their folders say".to_owned())
        }
        [_, false, true] => {
            let [stay, held] = two(&train, seed)?;
            (
                [stay, held, test],
                format!("the test set is its folder's; 10 % of the others validate, {by_seed}"),
            )
        }
        [_, true, false] => {
            let [stay, held] = two(&train, seed)?;
            let said =
                format!("the validation set is its folder's; 10 % of the others are the test set, {by_seed}");
            ([stay, validation, held], said)
        }
        [_, false, false] => {
            let numbers = three_ways(Some(&labels(&train)), train.len(), seed)?;
            (pick(train, &numbers), format!("80 % train, 10 % validate and 10 % test, {by_seed}"))
        }
    })
}

/// What the set of this number is called.
pub(super) fn set_name(set: usize) -> &'static str {
    SETS[set].0
}

/// Nine in ten of the files, and the tenth.
fn two(files: &[File], seed: u64) -> Result<[Vec<File>; 2], DataError> {
    let [train, validation, held] = three_ways(Some(&labels(files)), files.len(), seed)?;
    let mut stay = [train, validation].concat();
    stay.sort_unstable();
    Ok(pick(files.to_vec(), &[stay, held]))
}

fn labels(files: &[File]) -> Vec<u32> {
    files.iter().map(|file| file.label).collect()
}

/// The files with these numbers.
fn pick<const N: usize>(files: Vec<File>, numbers: &[Vec<u32>; N]) -> [Vec<File>; N] {
    numbers.each_ref().map(|part| part.iter().map(|&at| files[at as usize].clone()).collect())
}
