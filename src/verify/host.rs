//! The rows of the CPU executor against the twins in f64.

use super::band::Band;
use super::case::Case;
use super::{VerifyReport, VerifyRow, case_arguments, compare, failure, lay_out, row};
use crate::ops::kit::{Access, Argument, Scratch, Values};
use crate::ops::{Arg, OtherArguments, cases};

/// Runs the fast rows of the CPU executor on the cases that they fit, as [`verify`](super::verify) runs kernels on an adapter.
pub fn verify_cpu(wanted: &dyn Fn(&str) -> bool, on_row: &mut dyn FnMut(&VerifyRow)) -> VerifyReport {
    let table = cases();
    let mut rows = Vec::new();
    for number in 0..table.len() {
        let op = &table[number].op;
        let Some((variant, _)) = op.fast().filter(|_| wanted(op.kind())) else { continue };
        let row = verify_case(&table, number, variant);
        on_row(&row);
        rows.push(row);
    }
    VerifyReport { device: "the CPU executor".to_owned(), rows }
}

fn verify_case(table: &[Case], number: usize, variant: &'static str) -> VerifyRow {
    let case = &table[number];
    let arguments = case_arguments(table, number);
    let bands = lay_out(&arguments);
    let finding = match (case.expect(&arguments), run(case, &arguments, &bands)) {
        (Ok(expected), Ok(got)) => compare::judge(&bands, &expected, &got),
        (Err(error), _) | (_, Err(error)) => failure(error.to_string()),
    };
    row(case, variant, "on", finding)
}

/// All words of each binding after the step.
fn run(case: &Case, arguments: &[Argument], bands: &[Band]) -> Result<Vec<Vec<u32>>, OtherArguments> {
    let mut words: Vec<Vec<u32>> = bands.iter().map(|band| band.words.clone()).collect();
    let mut args: Vec<Arg<'_, f32>> = Vec::new();
    for ((argument, band), words) in arguments.iter().zip(bands).zip(&mut words) {
        let words = &mut words[band.range()];
        args.push(match (&argument.values, argument.spec.access) {
            (Values::Floats(_), Access::In) => Arg::In(bytemuck::cast_slice(words)),
            (Values::Floats(_), _) => Arg::Out(bytemuck::cast_slice_mut(words)),
            (Values::Integers(_), Access::In) => Arg::InU32(words),
            (Values::Integers(_), _) => Arg::OutU32(words),
            (Values::Bytes(bytes), _) => Arg::Bytes(&bytemuck::cast_slice(words)[..bytes.len()]),
        });
    }
    let mut scratch = Scratch::new(case.op.fast().map(|(_, room)| room));
    case.op.run_fast(&case.batch, &mut args, &mut scratch)?;
    drop(args);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every case leaves behind on so many threads.
    fn bits(threads: usize) -> Vec<Vec<Vec<u32>>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let table: Vec<Case> = cases().into_iter().filter(|case| case.op.fast().is_some()).collect();
        let run = |number: usize| {
            let arguments = case_arguments(&table, number);
            run(&table[number], &arguments, &lay_out(&arguments)).unwrap()
        };
        pool.install(|| (0..table.len()).map(run).collect())
    }

    #[test]
    fn every_fast_row_is_within_the_bounds_of_its_op() {
        let report = verify_cpu(&|_| true, &mut |_| {});
        let failed: Vec<_> = report.rows.iter().filter(|row| !row.passed).collect();
        assert!(report.passed(), "{failed:#?}");
    }

    #[test]
    fn fast_rows_give_the_same_bits_on_any_number_of_threads() {
        let one = bits(1);
        for threads in [2, 3] {
            for (number, (some, one)) in bits(threads).iter().zip(&one).enumerate() {
                assert!(some == one, "case {number} on {threads} threads");
            }
        }
    }
}
