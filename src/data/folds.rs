//! The folds of a cross-validation.

use super::Dataset;
use super::error::DataError;
use crate::random::{Purpose, Stream};

/// The numbers of the samples of each fold, ascending: every sample is in exactly one.
///
/// Stratified: the samples of a class, shuffled by the seed, go to the folds by turns, and the next class goes on where
/// it ended; so a class has in each fold as many samples as in any other, or one more or fewer, and so have the folds.
///
/// # Errors
/// When there are fewer than 2 folds, or more than samples.
pub fn stratified_folds(labels: &[u8], folds: usize, seed: u64) -> Result<Vec<Vec<u32>>, DataError> {
    if folds < 2 || folds > labels.len() {
        return Err(DataError::Folds { folds, samples: labels.len() });
    }
    let mut parts = vec![Vec::with_capacity(labels.len().div_ceil(folds)); folds];
    let mut next = 0;
    for class in 0..=u8::MAX {
        let of_class = (0u32..).zip(labels).filter(|&(_, &label)| label == class);
        let mut samples: Vec<u32> = of_class.map(|(sample, _)| sample).collect();
        Stream::new(seed, Purpose::Folds, u32::from(class)).shuffle(&mut samples);
        for sample in samples {
            parts[next % folds].push(sample);
            next += 1;
        }
    }
    parts.iter_mut().for_each(|part| part.sort_unstable());
    Ok(parts)
}

/// The samples outside one of the folds and those in it, each in the order of the set.
///
/// # Errors
/// When the folds are not of this set.
pub fn hold_out(data: &Dataset, folds: &[Vec<u32>], fold: usize) -> Result<(Dataset, Dataset), DataError> {
    let mut rest: Vec<u32> = Vec::with_capacity(data.len());
    for (index, part) in folds.iter().enumerate() {
        if index != fold {
            rest.extend(part);
        }
    }
    rest.sort_unstable();
    Ok((data.select(&rest)?, data.select(&folds[fold])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 103 samples of three classes, unevenly.
    fn labels() -> Vec<u8> {
        (0..103).map(|n| if n % 10 == 0 { 2 } else { (n % 3 == 0) as u8 }).collect()
    }

    #[test]
    fn folds_are_disjoint_complete_and_stratified() {
        let labels = labels();
        for folds in [2, 3, 5, 10, 103] {
            let parts = stratified_folds(&labels, folds, 7).unwrap();
            let mut all: Vec<u32> = parts.concat();
            all.sort_unstable();
            assert_eq!(all, (0..103).collect::<Vec<u32>>(), "{folds} folds");
            let even = |counts: Vec<usize>, what: &str| {
                let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
                assert!(most - least <= 1, "{folds} folds, {what}: {counts:?}");
            };
            even(parts.iter().map(Vec::len).collect(), "all");
            for class in 0..3 {
                let count = |part: &Vec<u32>| part.iter().filter(|&&n| labels[n as usize] == class).count();
                even(parts.iter().map(count).collect(), &format!("class {class}"));
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        let labels = labels();
        let parts = |seed| stratified_folds(&labels, 4, seed).unwrap();
        assert_eq!(parts(1), parts(1));
        assert_ne!(parts(1), parts(2));
    }

    #[test]
    fn impossible_folds_are_refused() {
        for folds in [0, 1, 104] {
            let message = stratified_folds(&labels(), folds, 0).unwrap_err().to_string();
            assert!(message.contains(&format!("found {folds}")), "{message}");
        }
    }

    #[test]
    fn what_is_held_out_is_not_trained_on() {
        let data = Dataset::new((0..20).collect(), (0..10).map(|n| n % 2).collect(), [1, 2, 1], 2).unwrap();
        let folds = stratified_folds(data.labels(), 3, 0).unwrap();
        for fold in 0..3 {
            let (train, held) = hold_out(&data, &folds, fold).unwrap();
            assert_eq!(held.len(), folds[fold].len());
            let mut bytes = [train.images(), held.images()].concat();
            bytes.sort_unstable();
            assert_eq!(bytes, (0..20).collect::<Vec<u8>>(), "fold {fold}");
            for (index, &sample) in folds[fold].iter().enumerate() {
                assert_eq!(held.image(index), data.image(sample as usize));
                assert_eq!(held.label(index), data.label(sample as usize));
            }
        }
    }
}
