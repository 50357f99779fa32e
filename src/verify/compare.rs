//! Judging what a kernel left behind: guards, inputs, and each element of each output.

use super::band::Band;
use crate::ops::kit::{Access, Bound, Expected, Output, UNWRITTEN, indices};

/// What was found in one argument, or in all of a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    /// The argument.
    pub(super) name: &'static str,
    /// Error of the worst element: the one whose error takes the largest share of its bound.
    pub(super) error: f64,
    /// Bound of that element.
    pub(super) bound: f64,
    /// What is wrong.
    pub(super) problem: Option<String>,
}

impl Finding {
    /// The share of the bound; infinite where nothing was allowed.
    fn ratio(&self) -> f64 {
        if self.error == 0.0 { 0.0 } else { self.error / self.bound }
    }
}

/// The worst finding over all arguments of a step; `got` holds the words of each binding afterwards.
pub(super) fn judge(bands: &[Band], expected: &[Expected], got: &[Vec<u32>]) -> Finding {
    let mut worst = Finding { name: "", error: 0.0, bound: 0.0, problem: None };
    for ((band, expected), got) in bands.iter().zip(expected).zip(got) {
        let mut finding = judge_argument(band, expected, got);
        finding.problem = guard_problem(band, got).or(finding.problem);
        let worse = match (&finding.problem, &worst.problem) {
            (Some(_), None) => true,
            (None, Some(_)) => false,
            _ => finding.ratio() > worst.ratio(),
        };
        let first_output = worst.name.is_empty() && band.spec.access != Access::In;
        if worse || (first_output && worst.problem.is_none()) {
            worst = finding;
        }
    }
    worst
}

/// A changed word outside the argument, or anywhere in one that is only read.
fn guard_problem(band: &Band, got: &[u32]) -> Option<String> {
    let name = band.spec.name;
    if got.len() != band.words.len() {
        return Some(format!("`{name}`: {} words came back of {}", got.len(), band.words.len()));
    }
    let range = band.range();
    let differs = |at: &usize| got[*at] != band.words[*at];
    let changed = (0..range.start).rev().chain(range.end..got.len()).find(differs);
    let what = |at: usize| format!("{:#010x} instead of {:#010x}", got[at], band.words[at]);
    if let Some(at) = changed {
        let place = if at < range.start {
            format!("{} before its beginning", range.start - at)
        } else {
            format!("{} after its end", at - range.end + 1)
        };
        return Some(format!("`{name}`: guard overwritten, word {place}: {}", what(at)));
    }
    if band.spec.access != Access::In {
        return None;
    }
    let at = range.clone().find(differs)?;
    Some(format!("`{name}` is only read, but word {} changed: {}", at - range.start, what(at)))
}

fn judge_argument(band: &Band, expected: &Expected, got: &[u32]) -> Finding {
    let got = got.get(band.range()).unwrap_or_default();
    match &expected.output {
        Output::Unchanged => Finding { name: band.spec.name, error: 0.0, bound: 0.0, problem: None },
        Output::Integers(values) => judge_integers(band, values, &expected.bound, got),
        Output::Floats(values) => judge_floats(band, values, &expected.bound, got),
    }
}

fn judge_integers(band: &Band, values: &[u32], bound: &Bound, got: &[u32]) -> Finding {
    let name = band.spec.name;
    let mut finding = Finding { name, error: 0.0, bound: 0.0, problem: None };
    for (at, (&value, &got)) in values.iter().zip(got).enumerate() {
        let is_in = |set: &u64, number: u32| set.checked_shr(number).unwrap_or(0) & 1 == 1;
        let as_good = match bound {
            Bound::Among(sets) => sets.get(at).is_some_and(|set| is_in(set, got)),
            Bound::BytesAmong(sets) => {
                let bytes = got.to_le_bytes();
                let sets = sets.get(bytes.len() * at..).unwrap_or_default();
                sets.len() >= bytes.len() && sets.iter().zip(bytes).all(|(set, byte)| is_in(set, byte.into()))
            }
            _ => false,
        };
        let error = if as_good { 0.0 } else { f64::from(value.abs_diff(got)) };
        if error > finding.error {
            let problem = if got == UNWRITTEN {
                format!("{}: not written, expected {value}", place(band, at))
            } else {
                format!("{}: got {got}, expected {value}", place(band, at))
            };
            finding = Finding { error, problem: finding.problem.or(Some(problem)), ..finding };
        }
    }
    finding
}

fn judge_floats(band: &Band, values: &[f64], bound: &Bound, got: &[u32]) -> Finding {
    let name = band.spec.name;
    let mut worst = Finding { name, error: 0.0, bound: 0.0, problem: None };
    let mut worst_at = None;
    for (at, (&value, &bits)) in values.iter().zip(got).enumerate() {
        let bound = match bound {
            Bound::Exact | Bound::Among(_) | Bound::BytesAmong(_) => 0.0,
            Bound::Each(bounds) => bounds.get(at).copied().unwrap_or(0.0),
        };
        let got = f64::from(f32::from_bits(bits));
        // Of what is not finite on either side, nothing is near enough.
        let error = if got.is_finite() { (got - value).abs() } else { f64::INFINITY };
        let error = if error.is_nan() { f64::INFINITY } else { error };
        let candidate = Finding { error, bound, ..Finding { name, error, bound, problem: None } };
        if worst_at.is_none() || candidate.ratio() > worst.ratio() {
            worst = candidate;
            worst_at = Some(at);
        }
    }
    // Written so that a bound which is no number allows nothing.
    let within = worst.error <= worst.bound && worst.bound.is_finite();
    if let (Some(at), false) = (worst_at, within) {
        worst.problem = Some(float_problem(band, at, got[at], values[at], worst.bound));
    }
    worst
}

fn float_problem(band: &Band, at: usize, bits: u32, value: f64, bound: f64) -> String {
    let place = place(band, at);
    if bits == UNWRITTEN {
        return format!("{place}: not written, expected {value:e}");
    }
    let got = f32::from_bits(bits);
    format!("{place}: got {got:e}, expected {value:e}, allowed error {bound:.1e}")
}

/// `name[n, h, w, c]` of the element with this number.
fn place(band: &Band, at: usize) -> String {
    format!("{}{:?}", band.spec.name, indices(&band.spec.shape, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::kit::{ArgSpec, Argument, Dtype, Extent, Values};

    fn band(name: &'static str, access: Access, values: Values) -> Band {
        let dtype = if matches!(values, Values::Floats(_)) { Dtype::F32 } else { Dtype::U32 };
        Band::new(
            &Argument {
                spec: ArgSpec { name, access, dtype, shape: vec![2, 2], extent: Extent::Plan },
                values,
            },
            1,
            false,
        )
    }

    /// An input, four floats with a bound of 1e-6 and four integers, as they are after a perfect run.
    fn perfect() -> (Vec<Band>, Vec<Expected>, Vec<Vec<u32>>) {
        let unwritten = vec![f32::from_bits(UNWRITTEN); 4];
        let bands = vec![
            band("x", Access::In, Values::Floats(vec![1.0, 2.0, 3.0, 4.0])),
            band("y", Access::Out, Values::Floats(unwritten)),
            band("winner", Access::Out, Values::Integers(vec![UNWRITTEN; 4])),
        ];
        let expected = vec![
            Expected { output: Output::Unchanged, bound: Bound::Exact },
            Expected {
                output: Output::Floats(vec![0.0, -1.0, 2.0, 1e-3]),
                bound: Bound::Each(vec![1e-6; 4]),
            },
            Expected { output: Output::Integers(vec![0, 1, 2, 3]), bound: Bound::Exact },
        ];
        let mut got: Vec<Vec<u32>> = bands.iter().map(|band| band.words.clone()).collect();
        got[1][bands[1].range()].copy_from_slice(&[0.0f32, -1.0, 2.0, 1e-3].map(f32::to_bits));
        got[2][bands[2].range()].copy_from_slice(&[0, 1, 2, 3]);
        (bands, expected, got)
    }

    #[test]
    fn a_perfect_run_has_no_problem_and_names_an_output() {
        let (bands, expected, got) = perfect();
        let finding = judge(&bands, &expected, &got);
        // 1e-3 in f32 is off by some 5e-11.
        assert_eq!((finding.name, &finding.problem), ("y", &None), "{finding:?}");
        assert!(finding.error < 1e-10 && finding.bound == 1e-6, "{finding:?}");
    }

    #[test]
    fn every_kind_of_damage_is_noticed() {
        let base = perfect().0[1].base;
        let winner = perfect().0[2].base;
        // Binding, word, what is written there, and what the message says.
        let rows: [(usize, usize, u32, &str); 12] = [
            (1, base + 2, 2.00001f32.to_bits(), "y[1, 0]: got 2.00001e0"),
            (1, base + 1, 1.0f32.to_bits(), "y[0, 1]: got 1e0, expected -1e0"),
            (1, base, f32::NAN.to_bits(), "y[0, 0]: got NaN"),
            (1, base, f32::INFINITY.to_bits(), "y[0, 0]: got inf"),
            (1, base + 3, UNWRITTEN, "y[1, 1]: not written"),
            (2, winner + 3, 4, "winner[1, 1]: got 4, expected 3"),
            (2, winner, UNWRITTEN, "winner[0, 0]: not written"),
            (1, base - 1, 0, "`y`: guard overwritten, word 1 before its beginning"),
            (1, base + 4, 0, "`y`: guard overwritten, word 1 after its end"),
            (2, perfect().2[2].len() - 1, 0, "`winner`: guard overwritten"),
            (0, 0, 7, "`x`: guard overwritten"),
            (0, perfect().0[0].base + 1, 7, "`x` is only read, but word 1 changed"),
        ];
        for (binding, word, value, message) in rows {
            let (bands, expected, mut got) = perfect();
            got[binding][word] = value;
            let problem = judge(&bands, &expected, &got).problem.unwrap_or_default();
            assert!(problem.starts_with(message), "{message}: {problem}");
        }
    }

    #[test]
    fn exact_means_exact_and_no_bound_that_is_no_number_allows_anything() {
        for bound in [Bound::Exact, Bound::Each(vec![f64::NAN; 4]), Bound::Each(vec![f64::INFINITY; 4])] {
            let (bands, mut expected, mut got) = perfect();
            expected[1].bound = bound.clone();
            got[1][bands[1].base + 1] = (-1.000_000_1f32).to_bits();
            assert!(judge(&bands, &expected, &got).problem.is_some(), "{bound:?}");
        }
    }

    /// A number may be one of several where a near-tie may fall either way: in a word of its own or, four to a word, in a byte.
    #[test]
    fn integers_may_be_any_of_a_set() {
        let sets = vec![0b1, 0b110, 0b100, 0b1_0001];
        let word = |bytes: [u8; 4]| u32::from_le_bytes(bytes);
        // (bytes, whether each is in its set)
        let rows = [
            ([0, 1, 2, 4], true),
            ([0, 2, 2, 0], true),
            ([0, 0, 2, 4], false),
            ([1, 1, 2, 4], false),
            ([0, 1, 2, 5], false),
            ([0, 1, 200, 4], false),
        ];
        for (bytes, good) in rows {
            let (bands, mut expected, mut got) = perfect();
            expected[2].output = Output::Integers(vec![0, 1, 2, 0]);
            expected[2].bound = Bound::Among(sets.clone());
            got[2][bands[2].range()].copy_from_slice(&bytes.map(u32::from));
            assert_eq!(judge(&bands, &expected, &got).problem.is_none(), good, "{bytes:?}");
            let shared = word([0, 1, 2, 0]);
            expected[2].output = Output::Integers(vec![shared, shared, shared, shared]);
            expected[2].bound = Bound::BytesAmong(sets.repeat(4));
            got[2][bands[2].range()].copy_from_slice(&[shared, word(bytes), shared, shared]);
            assert_eq!(judge(&bands, &expected, &got).problem.is_none(), good, "{bytes:?} in one word");
            // Sets of three words stand for no fourth one, which then has to be the expected one itself.
            expected[2].bound = Bound::BytesAmong(sets.repeat(3));
            got[2][bands[2].range()].copy_from_slice(&[shared, shared, shared, word([0, 2, 2, 0])]);
            assert!(judge(&bands, &expected, &got).problem.is_some());
        }
    }

    #[test]
    fn missing_words_are_noticed() {
        let (bands, expected, mut got) = perfect();
        got[1].truncate(10);
        assert!(judge(&bands, &expected, &got).problem.is_some());
    }
}
