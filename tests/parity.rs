//! Every kernel against its twin, on an adapter of this machine: a software one where there is one, else the best.

use shadegrad::device::HOW_TO_GET_AN_ADAPTER;
use shadegrad::gpu::{DeviceKind, Gpu, adapters};
use shadegrad::verify::{VerifyRow, verify};

/// Without an adapter there is nothing to test, and that is a failure: a skipped test looks like a passed one.
fn open_adapter() -> Gpu {
    let mut found = adapters();
    found.sort_by_key(|adapter| (adapter.kind() != DeviceKind::Software, adapter.kind()));
    let adapter = found.first().unwrap_or_else(|| panic!("{HOW_TO_GET_AN_ADAPTER}"));
    adapter.open().unwrap_or_else(|error| panic!("{error}"))
}

fn describe(row: &VerifyRow) -> String {
    let VerifyRow { kind, variant, case, checks, output, largest_error, bound, .. } = row;
    let problem = row.problem.as_deref().unwrap_or("no problem named");
    format!(
        "{kind} ({variant}, checks {checks}), {case}: `{output}` error {largest_error:e} of {bound:e}: {problem}"
    )
}

#[test]
fn every_kernel_agrees_with_its_twin() {
    let gpu = open_adapter();
    let mut seen = 0;
    let report = verify(&gpu, &|_| true, &mut |_| seen += 1).unwrap();
    let failed: Vec<String> = report.rows.iter().filter(|row| !row.passed).map(describe).collect();
    assert!(failed.is_empty(), "{}: {} rows failed:\n{}", report.device, failed.len(), failed.join("\n"));
    assert!(report.passed() && seen == report.rows.len());
}
