//! The folds of a cross-validation, and a split that holds samples out.

use std::collections::BTreeMap;

use super::Dataset;
use super::error::DataError;
use super::targets::TargetKind;
use crate::random::{Purpose, Stream};

/// The numbers of the samples of each fold, ascending; every sample is in exactly one fold.
///
/// Stratified: the samples of a class, shuffled by the seed, are dealt to the folds in turn, and the next class
/// continues where the last one ended. So folds differ by at most one sample in size, and in the samples of each
/// class.
///
/// # Errors
/// When there are fewer than 2 folds, or more folds than samples.
pub fn stratified_folds(labels: &[u32], folds: usize, seed: u64) -> Result<Vec<Vec<u32>>, DataError> {
    if folds < 2 || folds > labels.len() {
        return Err(DataError::Folds { folds, samples: labels.len() });
    }
    let mut parts = vec![Vec::with_capacity(labels.len().div_ceil(folds)); folds];
    let mut next = 0;
    let mut classes: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (sample, &label) in (0u32..).zip(labels) {
        classes.entry(label).or_default().push(sample);
    }
    for (class, mut samples) in classes {
        Stream::new(seed, Purpose::Folds, class).shuffle(&mut samples);
        for sample in samples {
            parts[next % folds].push(sample);
            next += 1;
        }
    }
    parts.iter_mut().for_each(|part| part.sort_unstable());
    Ok(parts)
}

/// The numbers of the samples of each fold, ascending: [`stratified_folds`] of the labels, or, where targets are no classes, of
/// a single class.
///
/// # Errors
/// As [`stratified_folds`].
pub fn folds_of(data: &Dataset, folds: usize, seed: u64) -> Result<Vec<Vec<u32>>, DataError> {
    match data.target() {
        TargetKind::Classes => stratified_folds(data.labels(), folds, seed),
        _ => stratified_folds(&vec![0; data.len()], folds, seed),
    }
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

/// Holds out `held` samples, the last ones of each class. Returns the numbers of those that stay and of those held
/// out, each ascending.
///
/// Stratified: of a class of `n` samples among `all`, `n * held / all` are held out, rounded down or up. Rounded up
/// are first the classes of which none would be held out, then those that lose most by rounding down; a tie goes to
/// the lower class. At least one sample of a class stays, as long as the other classes can make up for it. The result
/// depends only on the labels and their order.
pub fn stratified_split(labels: &[u32], held: usize) -> [Vec<u32>; 2] {
    // The classes that there are samples of, numbered in their order.
    let mut numbers: BTreeMap<u32, usize> = labels.iter().map(|&label| (label, 0)).collect();
    numbers.values_mut().zip(0..).for_each(|(number, at)| *number = at);
    let mut counts = vec![0usize; numbers.len()];
    labels.iter().for_each(|label| counts[numbers[label]] += 1);
    let mut take = held_of_each(&counts, held.min(labels.len()));
    let [mut stay, mut aside] = [Vec::with_capacity(labels.len()), Vec::with_capacity(held)];
    for (sample, label) in labels.iter().enumerate().rev() {
        let left = &mut take[numbers[label]];
        let part = if *left > 0 { &mut aside } else { &mut stay };
        part.push(sample as u32);
        *left = left.saturating_sub(1);
    }
    [&mut stay, &mut aside].into_iter().for_each(|part| part.reverse());
    [stay, aside]
}

/// How many samples of each class are held out, `held` in total.
fn held_of_each(counts: &[usize], held: usize) -> Vec<usize> {
    let all = counts.iter().sum::<usize>().max(1);
    let exact = |class: usize| counts[class] as u128 * held as u128;
    let most = |class: usize| counts[class].saturating_sub(1);
    let of_class = |class| most(class).min((exact(class) / all as u128) as usize);
    let mut take: Vec<usize> = (0..counts.len()).map(of_class).collect();
    let mut left = held - take.iter().sum::<usize>();
    let mut order: Vec<usize> = (0..counts.len()).filter(|&class| counts[class] > 0).collect();
    order.sort_by_key(|&class| (take[class] > 0, std::cmp::Reverse(exact(class) % all as u128)));
    let give = |take: &mut [usize], left: &mut usize, most: &dyn Fn(usize) -> usize| {
        while *left > 0 {
            let before = *left;
            for &class in &order {
                if *left > 0 && take[class] < most(class) {
                    take[class] += 1;
                    *left -= 1;
                }
            }
            if *left == before {
                break;
            }
        }
    };
    give(&mut take, &mut left, &most);
    // `held` is so large that whole classes have to go.
    give(&mut take, &mut left, &|class| counts[class]);
    take
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 103 samples of three classes, unevenly.
    fn labels() -> Vec<u32> {
        (0..103).map(|n| if n % 10 == 0 { 2 } else { u32::from(n % 3 == 0) }).collect()
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
    fn a_share_is_set_aside_of_every_class() {
        // The labels, how many are held out, and how many of each class are.
        let sorted: Vec<u32> = (0..40).map(|n| n / 10).collect();
        let uneven = [vec![0; 70], vec![1; 25], vec![2; 5]].concat();
        let rows: [(&[u32], usize, &[usize]); 8] = [
            (&sorted, 8, &[2, 2, 2, 2]),
            (&sorted, 10, &[3, 3, 2, 2]),
            (&sorted, 1, &[1, 0, 0, 0]),
            (&sorted, 39, &[10, 10, 10, 9]),
            (&uneven, 20, &[14, 5, 1]),
            (&uneven, 10, &[7, 2, 1]),
            // The only sample of a class stays.
            (&[0, 0, 0, 0, 1], 3, &[3, 0]),
            (&[0, 1, 2], 2, &[1, 1, 0]),
        ];
        for (labels, held, expected) in rows {
            let [stay, aside] = stratified_split(labels, held);
            let of = |class: usize| aside.iter().filter(move |&&n| labels[n as usize] as usize == class);
            let found: Vec<_> = (0..expected.len()).map(|class| of(class).count()).collect();
            assert_eq!(found, expected, "{held} of {labels:?}");
            assert!(stay.is_sorted() && aside.is_sorted(), "{held} of {labels:?}");
            let mut all = [stay.clone(), aside.clone()].concat();
            all.sort_unstable();
            assert_eq!(all, (0..labels.len() as u32).collect::<Vec<_>>(), "{held} of {labels:?}");
            // Of each class they are the last ones.
            for &late in &aside {
                let class = labels[late as usize];
                let early = stay.iter().filter(|&&n| labels[n as usize] == class).max();
                assert!(early.is_none_or(|&early| early < late), "{held} of {labels:?}");
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
        // Not so the labels of classes that no model has.
        assert_eq!(stratified_folds(&[u32::MAX, 0], 2, 0).unwrap(), [[1], [0]]);
        assert_eq!(stratified_split(&[u32::MAX, 0], 1), [[0], [1]].map(|part| part.to_vec()));
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
