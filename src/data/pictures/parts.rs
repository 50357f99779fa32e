//! Which pictures are trained on, validated with and tested on.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::folders::{File, Listed, few};
use crate::data::error::DataError;
use crate::data::split::{SETS, three_ways_of};

/// The files of the training, the validation and the test set, each in the order of the classes and then of their paths, and how
/// they came about, in a line. What no folder says is split by the seed, by classes.
pub(super) fn parts(listed: &mut Listed, seed: u64) -> Result<([Vec<File>; 3], String), DataError> {
    let [train, validation, test] = std::mem::take(&mut listed.files);
    let root = &listed.root;
    let by_seed = format!("by classes, with the split seed {seed}");
    Ok(match listed.given {
        [_, true, true] => {
            ([train, validation, test], "training, validation and test set as their folders say".to_owned())
        }
        [_, false, true] => {
            let [stay, held] = two(root, &train, seed)?;
            (
                [stay, held, test],
                format!("the test set is its folder's; 10 % of the others validate, {by_seed}"),
            )
        }
        [_, true, false] => {
            let [stay, held] = two(root, &train, seed)?;
            let said =
                format!("the validation set is its folder's; 10 % of the others are the test set, {by_seed}");
            ([stay, validation, held], said)
        }
        [_, false, false] => {
            let numbers = split(root, &train, seed)?;
            (pick(train, &numbers), format!("80 % train, 10 % validate and 10 % test, {by_seed}"))
        }
    })
}

/// What the set of this number is called.
pub(super) fn set_name(set: usize) -> &'static str {
    SETS[set].0
}

/// Which classes have so few pictures that a set which was split off has none of them, and what to do.
pub(super) fn too_small(classes: &[String], files: &[Vec<File>; 3], given: [bool; 3]) -> Option<String> {
    let mut counts = vec![[0usize; 3]; classes.len()];
    for (set, files) in files.iter().enumerate() {
        files.iter().for_each(|file| counts[file.label as usize][set] += 1);
    }
    // A set with a folder of its own has what is there.
    let split_off: Vec<usize> = (1..3).filter(|&set| !given[set]).collect();
    let small = |(class, counts): (&String, &[usize; 3])| {
        let all = counts[0] + split_off.iter().map(|&set| counts[set]).sum::<usize>();
        split_off.iter().any(|&set| counts[set] == 0 && all > 0).then(|| (class.clone(), all))
    };
    let small: Vec<(String, usize)> = classes.iter().zip(&counts).filter_map(small).collect();
    let pictures =
        |count: usize| if count == 1 { "1 picture".to_owned() } else { format!("{count} pictures") };
    let said = match &small[..] {
        [] => return None,
        [(class, count)] => format!("class {class} has only {}, and is not in every set", pictures(*count)),
        more => {
            let list = more.iter().map(|(class, count)| format!("{class} ({})", pictures(*count)));
            format!("classes with too few pictures to be in every set: {}", few(list.collect()).join(", "))
        }
    };
    Some(format!(
        "{said}; put more in, or make folders train, val and test with folders of the classes in each"
    ))
}

/// Nine in ten of the files, and the tenth.
fn two(root: &Path, files: &[File], seed: u64) -> Result<[Vec<File>; 2], DataError> {
    let [train, validation, held] = split(root, files, seed)?;
    let mut stay = [train, validation].concat();
    stay.sort_unstable();
    Ok(pick(files.to_vec(), &[stay, held]))
}

/// Eight in ten of the files, and the two tenths, each class its share.
///
/// The order is that of a digest of the seed and of where a file lies, so that nearly every file stays in its set when others come or go: a
/// picture that was tested on is not trained on the next time because another was added.
fn split(root: &Path, files: &[File], seed: u64) -> Result<[Vec<u32>; 3], DataError> {
    let digest = |number: &u32| {
        let path = &files[*number as usize].found.path;
        let mut digest = Sha256::new_with_prefix(seed.to_le_bytes());
        for component in path.strip_prefix(root).unwrap_or(path) {
            digest.update(component.as_encoded_bytes());
            digest.update([b'/']);
        }
        <[u8; 32]>::from(digest.finalize())
    };
    let labels: Vec<u32> = files.iter().map(|file| file.label).collect();
    let mut order: Vec<u32> = (0..files.len() as u32).collect();
    order.sort_by_cached_key(digest);
    three_ways_of(Some(&labels), &order)
}

/// The files with these numbers.
fn pick<const N: usize>(files: Vec<File>, numbers: &[Vec<u32>; N]) -> [Vec<File>; N] {
    numbers.each_ref().map(|part| part.iter().map(|&at| files[at as usize].clone()).collect())
}
