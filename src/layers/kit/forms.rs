//! Defaults of settings in model files, and which of them are not written.

use super::shape::Pair;

pub(crate) fn yes() -> bool {
    true
}

pub(crate) fn is_yes(value: &bool) -> bool {
    *value
}

pub(crate) fn is_no(value: &bool) -> bool {
    !*value
}

pub(crate) fn one() -> usize {
    1
}

pub(crate) fn is_one(value: &usize) -> bool {
    *value == 1
}

pub(crate) fn one_by_one() -> Pair {
    Pair::from(1)
}

pub(crate) fn is_one_by_one(pair: &Pair) -> bool {
    *pair == one_by_one()
}

pub(crate) fn two_by_two() -> Pair {
    Pair::from(2)
}
