//! Which classes a set has samples of, and which it lacks.

use std::collections::BTreeSet;

use super::Dataset;

/// The most classes that a message lists; of more it gives the number.
const LISTED: usize = 12;

/// The classes of which a set has no sample although one of the others has, ascending. A class that no set has
/// samples of does not count: some data sets skip numbers.
pub fn uncovered(data: &Dataset, others: &[&Dataset]) -> Vec<u32> {
    let present = |set: &Dataset| set.labels().iter().copied().collect::<BTreeSet<u32>>();
    let others: BTreeSet<u32> = others.iter().flat_map(|set| present(set)).collect();
    others.difference(&present(data)).copied().collect()
}

/// `class 3`, or `classes 3, 7 (bag)`, with the names that classes have, if they have any.
pub fn listed(classes: &[u32], names: &[String]) -> String {
    let one = |&class: &u32| match names.get(class as usize) {
        Some(name) => format!("{class} ({name})"),
        None => class.to_string(),
    };
    let list: Vec<_> = classes.iter().take(LISTED).map(one).collect();
    let more = match classes.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let word = if classes.len() == 1 { "class" } else { "classes" };
    format!("{word} {}{more}", list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(labels: &[u8]) -> Dataset {
        Dataset::new(vec![0; labels.len()], labels.to_vec(), [1, 1, 1], 256).unwrap()
    }

    #[test]
    fn what_others_have_is_missing() {
        type Labels<'a> = &'a [u8];
        let rows: [(Labels<'_>, &[Labels<'_>], &[u32]); 5] = [
            (&[0, 1, 2], &[&[2, 1, 0]], &[]),
            (&[0, 1], &[&[3, 0], &[2, 255]], &[2, 3, 255]),
            // No set has a sample of class 1.
            (&[0, 2], &[&[0, 2]], &[]),
            (&[5], &[], &[]),
            (&[1], &[&[0, 0, 0]], &[0]),
        ];
        for (own, others, expected) in rows {
            let others: Vec<_> = others.iter().map(|labels| set(labels)).collect();
            assert_eq!(uncovered(&set(own), &others.iter().collect::<Vec<_>>()), expected, "{own:?}");
        }
    }

    #[test]
    fn classes_are_listed_by_name_where_they_have_one() {
        let names = ["shirt", "bag"].map(str::to_owned);
        assert_eq!(listed(&[1], &names), "class 1 (bag)");
        assert_eq!(listed(&[0, 1], &[]), "classes 0, 1");
        let many: Vec<u32> = (0..30).collect();
        assert!(listed(&many, &names).ends_with("10, 11 and 18 more"), "{}", listed(&many, &names));
    }
}
